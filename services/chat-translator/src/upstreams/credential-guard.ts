import type { CredentialStore } from '@zai2api/credentials';
import { LRUCache } from 'lru-cache';
import { createUpstreamBreaker, type UpstreamBreaker } from './upstream-breaker.ts';

/** A breaker for each credential of an upstream. */
export interface CredentialGuard {
  /** The credentials that are not to be used now; none when all of them would be: then there is nothing better. */
  excluded(store: Pick<CredentialStore, 'ids'>): Promise<ReadonlySet<string>>;
  /** Runs the work and learns from it. Never refuses: whoever got the credential may use it. */
  run<T>(id: string, work: () => Promise<T>): Promise<T>;
}

/** So many turns in a row fail on a credential before others are preferred. */
const THRESHOLD = 3;
const FIRST_WAIT_MS = 15_000;
const LONGEST_WAIT_MS = 5 * 60_000;
/** Guests come and go: the credential that was used longest ago is forgotten first. */
const MAX_KNOWN = 1_000;

/** A guard that knows nothing of any credential yet. */
export function createCredentialGuard(): CredentialGuard {
  /** Those that are not closed, so that a healthy pool costs nothing. */
  const suspects = new Set<string>();
  const breakers = new LRUCache<string, UpstreamBreaker>({
    max: MAX_KNOWN,
    dispose: (_breaker, id) => suspects.delete(id),
  });

  function breakerOf(id: string): UpstreamBreaker {
    const known = breakers.get(id);
    if (known) return known;
    const breaker = createUpstreamBreaker({
      threshold: THRESHOLD,
      firstWaitMs: FIRST_WAIT_MS,
      longestWaitMs: LONGEST_WAIT_MS,
      onChange({ state }) {
        // A turn may end after its credential was forgotten.
        if (state === 'closed' || !breakers.has(id)) suspects.delete(id);
        else suspects.add(id);
      },
    });
    breakers.set(id, breaker);
    return breaker;
  }

  return {
    async excluded(store) {
      const closed = [...suspects].filter((id) => breakers.peek(id)?.isPassable() === false);
      if (closed.length === 0) return new Set();
      // A store that cannot be asked says so to the lease, too.
      const ids = await Promise.all([store.ids('user'), store.ids('guest')]).catch(() => []);
      return ids.flat().some((id) => !closed.includes(id)) ? new Set(closed) : new Set();
    },
    run(id, work) {
      const breaker = breakerOf(id);
      return breaker.isPassable() ? breaker.run(work) : work();
    },
  };
}
