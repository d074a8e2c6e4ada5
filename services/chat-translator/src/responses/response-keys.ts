/**
 * Where one response is in Redis. One hash tag for each: a script may touch all of them, and a Cluster spreads the responses.
 *
 * record  hash    tenant, owner, state, response, input, streamed; bytes: of the input and the events
 * events  stream  id `<number of the last event, plus 1>-0`; f: number of the first one; t: the frames
 * alive   string  while the process that runs it lives
 */
export interface ResponseKeys {
  /** In the order in which every script gets them as KEYS. */
  readonly all: readonly [record: string, events: string, alive: string];
  /** Channel of hints that there is something new. */
  readonly news: string;
}

/** The keys of a response below `{<prefix>:response:<id>}`. */
export function responseKeysOf(prefix: string, id: string): ResponseKeys {
  const tag = `{${prefix}:response:${id}}`;
  return { all: [`${tag}:record`, `${tag}:events`, `${tag}:alive`], news: `${tag}:news` };
}

/** Channel on which a process hears that its responses were taken from it; the messages are their ids. */
export function ownerChannelOf(prefix: string, owner: string): string {
  return `{${prefix}:response:owner-${owner}}:taken`;
}

/**
 * Where the sizes of all responses are counted; no response has this id.
 *
 * ends   zset  id -> when it is kept no longer, by the clock of Redis
 * sizes  hash  id -> bytes; '' -> of all of them
 */
export function countKeysOf(prefix: string): readonly [ends: string, sizes: string] {
  const tag = `{${prefix}:response:all}`;
  return [`${tag}:ends`, `${tag}:sizes`];
}
