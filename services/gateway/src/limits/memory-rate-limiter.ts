import type { RateDecision, RateLimit, RateLimiter } from './rate-limiter.ts';

/** Against the rounding of fractions: a request that is due this soon is due. */
const TOLERANCE_MS = 1e-3;

/**
 * The limiter of one process, by the generic cell rate algorithm: one number per key, the time at which all of its limit is there again.
 * `now` gives milliseconds. Keys are those of the configuration, so nothing is ever forgotten.
 */
export function createMemoryRateLimiter({ limit, periodMs }: RateLimit, now: () => number): RateLimiter {
  const intervalMs = periodMs / limit;
  const fullAtMs = new Map<string, number>();

  function decide(key: string): RateDecision {
    const nowMs = now();
    const before = Math.max(fullAtMs.get(key) ?? nowMs, nowMs);
    const after = before + intervalMs;
    const waitMs = after - nowMs - periodMs;
    if (waitMs > TOLERANCE_MS) {
      return { isAllowed: false, limit, remaining: 0, resetMs: before - nowMs, retryAfterMs: waitMs };
    }
    fullAtMs.set(key, after);
    const remaining = Math.max(0, Math.floor((periodMs - (after - nowMs) + TOLERANCE_MS) / intervalMs));
    return { isAllowed: true, limit, remaining, resetMs: after - nowMs, retryAfterMs: 0 };
  }

  return { take: (key) => Promise.resolve(decide(key)) };
}
