import { randomUUID } from 'node:crypto';
import { guardRedis, type RedisClient, type StoreLogger } from '@zai2api/credentials';
import { createKeptBytes } from './kept-bytes.ts';
import { ownerChannelOf, responseKeysOf } from './response-keys.ts';
import { runScript, scripts, type Script } from './response-scripts.ts';
import { ALIVE_MS, type EventBatch, type Hold, type KeptState, type ResponseStore } from './response-store.ts';
import { responseStoreUnavailable } from './store-unavailable.ts';

/** What a store of responses in Redis needs. */
export interface RedisResponseStoreOptions {
  /** For commands whose time is bounded here. Stays the caller's, who closes it after the store. */
  readonly commands: RedisClient;
  /** For hearing of news. Stays the caller's, too. */
  readonly subscriber: RedisClient;
  /** First part of every key. */
  readonly prefix: string;
  readonly logger: StoreLogger;
  /** How long a command may take, in milliseconds; then the store counts as unreachable. */
  readonly commandTimeoutMs: number;
  /** How long a response is kept once it is over, in milliseconds. */
  readonly ttlMs: number;
  /** The most that is kept of one response, in UTF-16 units. */
  readonly maxResponseSize: number;
  /** Of all responses together. Those that were kept first go first, whoever made them; running ones stay. */
  readonly maxBytes: number;
  /** How long a process that says nothing is taken to be alive, in milliseconds; shorter in tests. */
  readonly aliveMs?: number;
}

/** For so long a deleted response can be told from one that the server lost: several times the pause between two signs of life of its owner. */
const DELETED_MS = 60_000;
/** As many batches as one answer of the store holds. */
const MAX_BATCHES = 64;

/**
 * The store that processes share. Each change of a response is one script on the keys of that response alone. Nothing waits longer than
 * the time of a command: while Redis does not answer, everything rejects, at once after the first command that got no answer.
 */
export function createRedisResponseStore(options: RedisResponseStoreOptions): ResponseStore {
  const { commands, subscriber, prefix, logger, ttlMs, maxResponseSize, maxBytes, aliveMs = ALIVE_MS } = options;
  const owner = randomUUID();
  const ownerChannel = ownerChannelOf(prefix, owner);
  const keptBytes = createKeptBytes({ commands, prefix, limit: maxBytes, ttlMs });
  const newsListeners = new Map<string, Set<() => void>>();
  const takenListeners = new Set<(id: string) => void>();
  const guard = guardRedis({
    timeoutMs: options.commandTimeoutMs,
    probe: () => commands.exists(ownerChannel),
    logger,
    what: 'the store of responses',
    refusal: responseStoreUnavailable,
    onUp: () => announceAll(),
  });

  async function run(script: Script, id: string, ...values: (string | number)[]): Promise<unknown> {
    const { all, news } = responseKeysOf(prefix, id);
    return guard.run(() => runScript(commands, script, all, [news, ...values]));
  }

  const holdOf = (answer: number): Hold => (answer > 0 ? 'ours' : answer === 0 ? 'taken' : 'lost');
  const hold = async (...call: Parameters<typeof run>): Promise<Hold> => holdOf(Number(await run(...call)));

  /** Behind the back of whoever keeps: a count that fails costs nothing but some room. */
  function makeRoom(id: string, bytes: number): void {
    async function work(): Promise<void> {
      for (const old of await guard.run(() => keptBytes.count(id, bytes))) await run(scripts.drop, old);
    }
    work().catch(() => undefined);
  }

  function tellOwner(taken: unknown, id: string): void {
    if (typeof taken !== 'string' || taken === '') return;
    // A hint: without it the owner finds out when it says again that it lives.
    guard.run(() => commands.publish(ownerChannelOf(prefix, taken), id)).catch(() => undefined);
  }

  function onMessage(channel: string, message: string): void {
    if (channel === ownerChannel) for (const listener of [...takenListeners]) listener(message);
    else for (const listener of [...(newsListeners.get(channel) ?? [])]) listener();
  }

  /** Messages may have been missed. */
  function announceAll(): void {
    for (const listeners of newsListeners.values()) for (const listener of [...listeners]) listener();
  }

  /** The client itself subscribes again to what it was subscribed to when the connection was lost. */
  function onReady(): void {
    subscribe(ownerChannel);
    announceAll();
  }

  function subscribe(channel: string): void {
    // Those who listen look for themselves from time to time, whether they are called or not.
    subscriber.subscribe(channel).catch(() => undefined);
  }

  subscriber.on('message', onMessage);
  subscriber.on('ready', onReady);
  if (subscriber.status === 'ready') subscribe(ownerChannel);

  return {
    maxResponseSize,
    async begin({ id, tenant, state, response, input, events }) {
      const first = events ? batchArguments(events) : [];
      const size = await run(scripts.begin, id, owner, ttlMs, aliveMs, tenant, state, response, input, ...first);
      makeRoom(id, Number(size));
    },
    append: (id, events, response) =>
      hold(scripts.append, id, owner, ...batchArguments(events), ...(response === undefined ? [] : [response])),
    async finish(id, response, events) {
      const last = events ? batchArguments(events) : [];
      const size = Number(await run(scripts.finish, id, owner, ttlMs, response, ...last));
      if (size > 0) makeRoom(id, size);
      return holdOf(size);
    },
    renew: (id) => hold(scripts.renew, id, owner, ttlMs, aliveMs),
    async conclude(id, tenant, { response, before, after }, onlyIfDead) {
      const flag = onlyIfDead ? '1' : '0';
      const taken = await run(scripts.conclude, id, tenant, ttlMs, response, before, after, flag);
      tellOwner(taken, id);
      return taken !== null;
    },
    async read(id, tenant) {
      const found = (await run(scripts.read, id, tenant)) as [KeptState, number, string, number] | null;
      if (!found) return undefined;
      const [state, isAlive, response, isStreamed] = found;
      return { state: stateOf(state, isAlive), response, hasEvents: isStreamed === 1 };
    },
    async readInput(id, tenant) {
      const input = (await run(scripts.readInput, id, tenant)) as string | null;
      return input ?? undefined;
    },
    async readEvents(id, from) {
      const found = (await run(scripts.readEvents, id, from + 1, MAX_BATCHES)) as
        [KeptState, number, ...string[]] | null;
      if (!found) return { state: 'gone', batches: [] };
      const [state, isAlive, ...fields] = found;
      const batches: EventBatch[] = [];
      for (let at = 0; at < fields.length; at += 3) {
        const [first = '', entryId = '', text = ''] = fields.slice(at, at + 3);
        batches.push({ first: Number(first), last: Number.parseInt(entryId, 10) - 1, text });
      }
      return { state: stateOf(state, isAlive), batches };
    },
    async remove(id, tenant) {
      const taken = await run(scripts.remove, id, tenant, DELETED_MS);
      tellOwner(taken, id);
      if (taken !== null) guard.run(() => keptBytes.release(id)).catch(() => undefined);
      return taken !== null;
    },
    onNews(id, listener) {
      const { news } = responseKeysOf(prefix, id);
      const listeners = newsListeners.get(news);
      if (listeners) {
        listeners.add(listener);
      } else {
        newsListeners.set(news, new Set([listener]));
        subscribe(news);
      }
      return () => {
        const left = newsListeners.get(news);
        if (!left?.delete(listener) || left.size > 0) return;
        newsListeners.delete(news);
        subscriber.unsubscribe(news).catch(() => undefined);
      };
    },
    onTaken(listener) {
      takenListeners.add(listener);
      return () => void takenListeners.delete(listener);
    },
    close() {
      guard.stop();
      subscriber.off('message', onMessage);
      subscriber.off('ready', onReady);
      newsListeners.clear();
      takenListeners.clear();
      return Promise.resolve();
    },
  };
}

function batchArguments({ first, last, text }: EventBatch): (string | number)[] {
  return [last + 1, first, text];
}

function stateOf(state: KeptState, isAlive: number): KeptState | 'dead' {
  return state === 'running' && isAlive === 0 ? 'dead' : state;
}
