import type { RedisClient } from '@zai2api/runtime';
import type { TickNotes } from './tick-notes.ts';

/** Nothing that a tick remembers matters for longer, and no key stays behind for ever. */
const LIFETIME_MS = 86_400_000;

/** The notes of all replicas that share a Redis. Rejects when Redis does not answer. */
export function createRedisTickNotes(options: { commands: RedisClient; prefix: string }): TickNotes {
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
