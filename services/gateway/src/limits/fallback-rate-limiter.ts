import { within } from '@zai2api/runtime';
import type { RateLimiter } from './rate-limiter.ts';

/** A Redis that is there answers in a millisecond; nobody waits for one that is not. */
const MAX_WAIT_MS = 250;
/** How long a limiter that failed is left alone. */
const PAUSE_MS = 2_000;

/**
 * Asks `shared`; while that fails, or is slow, `local` decides, so that an outage neither lets everybody through nor stops everybody: each
 * gateway then allows the whole limit by itself. Never rejects.
 */
export function createFallbackRateLimiter(options: {
  readonly shared: RateLimiter;
  readonly local: RateLimiter;
  /** Milliseconds, of a clock that only goes forward. */
  readonly now: () => number;
  /** Called once for each pause that begins. */
  readonly onFault: (reason: unknown) => void;
}): RateLimiter {
  const { shared, local, now, onFault } = options;
  let pausedUntilMs = 0;

  return {
    async take(key) {
      if (now() < pausedUntilMs) return local.take(key);
      try {
        const decision = await within(shared.take(key), MAX_WAIT_MS);
        if (decision === undefined) throw new DOMException('Redis did not answer in time.', 'TimeoutError');
        return decision;
      } catch (reason) {
        if (now() >= pausedUntilMs) {
          pausedUntilMs = now() + PAUSE_MS;
          onFault(reason);
        }
        return local.take(key);
      }
    },
  };
}
