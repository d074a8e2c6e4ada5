import type { TickStateStore } from './tick-state-store.ts';

/** What ticks leave in a single process. */
export function createMemoryTickStateStore(): TickStateStore {
  const texts = new Map<string, string>();
  return {
    read: (name) => Promise.resolve(texts.get(name)),
    write(name, text) {
      texts.set(name, text);
      return Promise.resolve();
    },
  };
}
