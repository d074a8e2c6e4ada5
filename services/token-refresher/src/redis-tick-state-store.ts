import type { RedisClient } from '@zai2api/runtime';
import type { TickStateStore } from './tick-state-store.ts';

/** Nothing that a tick remembers matters for longer, and no key stays behind for ever. */
const LIFETIME_MS = 86_400_000;

/** What ticks leave for all replicas that share a Redis. Rejects when Redis does not answer. */
export function createRedisTickStateStore(options: { commands: RedisClient; prefix: string }): TickStateStore {
  const { commands } = options;
  const keyOf = (name: string): string => `{${options.prefix}:refresher}:note:${name}`;
  return {
    async read(name) {
      return (await commands.get(keyOf(name))) ?? undefined;
    },
    async write(name, text) {
      await commands.set(keyOf(name), text, 'PX', LIFETIME_MS);
    },
  };
}
