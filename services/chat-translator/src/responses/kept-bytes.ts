import type { RedisClient } from '@zai2api/credentials';
import { countKeysOf } from './response-keys.ts';
import { countScript, runScript } from './response-scripts.ts';

/** The size of all responses that are kept in one Redis, shared by the processes that use it. */
export interface KeptBytes {
  /** Counts a response with this size, instead of what it had. Gives the ids of those that have to go for it, oldest first, and counts them no more. */
  count(id: string, bytes: number): Promise<readonly string[]>;
  /** Counts a response no more. */
  release(id: string): Promise<void>;
}

/** Where sizes are counted, and up to which sum. */
export interface KeptBytesOptions {
  readonly commands: RedisClient;
  /** First part of every key. */
  readonly prefix: string;
  /** Bytes of all responses together. */
  readonly limit: number;
  /** How long a response is kept, in milliseconds: what is older counts no more. */
  readonly ttlMs: number;
}

/**
 * The count is an index of its own, in one hash slot, while the responses have one each: a count that did not get through is put right when its
 * response ends, or is over with it.
 */
export function createKeptBytes({ commands, prefix, limit, ttlMs }: KeptBytesOptions): KeptBytes {
  const keys = countKeysOf(prefix);
  const change = (id: string, bytes: number): Promise<unknown> =>
    runScript(commands, countScript, keys, [id, bytes, ttlMs, limit]);
  return {
    count: async (id, bytes) => (await change(id, bytes)) as string[],
    async release(id) {
      await change(id, 0);
    },
  };
}
