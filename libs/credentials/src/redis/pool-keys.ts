/**
 * The keys of a pool, in the order in which every script gets them as KEYS. One hash tag for all: in a Cluster they live together, so that a
 * script may touch all of them.
 *
 * meta         hash   the last fence; the pool state
 * credentials  hash   id -> the credential as JSON, with its token: the one place where tokens are
 * entries      hash   id -> JSON with what is known about it: limit, running leases, rest, expiry
 * leases       zset   lease id -> deadline
 * holders      hash   lease id -> fence, digest of the token, credential id
 * expired      zset   id -> expiry, of those that are past it and not yet taken out
 *
 * and for each kind, `user` and `guest`:
 *
 * ready-…       zset   those with a free slot by preference: least busy, then longest unused
 * cooling-…     zset   id -> end of its rest
 * challenged-…  zset   id -> end of its rest, after a demand for human verification
 * live-…        zset   id -> expiry, of all that may be used
 */
const names = [
  'meta',
  'credentials',
  'entries',
  'leases',
  'holders',
  'expired',
  'ready-user',
  'ready-guest',
  'cooling-user',
  'cooling-guest',
  'challenged-user',
  'challenged-guest',
  'live-user',
  'live-guest',
] as const;

/** Where a pool is in Redis. */
export interface PoolKeys {
  readonly all: readonly string[];
  readonly meta: string;
  /** Channel of the messages `changed` (who waits should ask again) and `demand` (refill soon). */
  readonly channel: string;
}

/** The keys below `{<prefix>:credentials}`. */
export function poolKeysOf(prefix: string): PoolKeys {
  const tag = `{${prefix}:credentials}`;
  return { all: names.map((name) => `${tag}:${name}`), meta: `${tag}:meta`, channel: `${tag}:notices` };
}
