import type { CredentialStore } from '@zai2api/credentials';
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
  const breakers = new Map<string, UpstreamBreaker>();
  /** Those that are not closed, so that a healthy pool costs nothing. */
  const suspects = new Set<string>();

  function breakerOf(id: string): UpstreamBreaker {
    const breaker =
      breakers.get(id) ??
      createUpstreamBreaker({
        threshold: THRESHOLD,
        firstWaitMs: FIRST_WAIT_MS,
        longestWaitMs: LONGEST_WAIT_MS,
        onChange: ({ state }) => (state === 'closed' ? suspects.delete(id) : suspects.add(id)),
      });
    breakers.delete(id);
    breakers.set(id, breaker);
    const oldest = breakers.keys().next().value;
    if (breakers.size > MAX_KNOWN && oldest !== undefined) {
      breakers.delete(oldest);
      suspects.delete(oldest);
    }
    return breaker;
  }

  return {
    async excluded(store) {
      const closed = [...suspects].filter((id) => breakers.get(id)?.isPassable() !== true);
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
