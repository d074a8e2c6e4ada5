import type { SupplyFault, SupplyFaultState } from './supply-fault.ts';

/** Waits that grow while an upstream keeps failing. */
export interface BackOff {
  /** Milliseconds until the next try; each call counts as one more failure. Never less than the upstream asked for, within an hour. */
  next(fault: SupplyFault): number;
  /** After a success: the next failure is the first again. */
  reset(): void;
}

/** First and longest wait. What speaks of our conduct is waited out long, what may be a hiccup is tried again soon. */
const waits = {
  challenged: { firstMs: 60_000, longestMs: 900_000 },
  blocked: { firstMs: 30_000, longestMs: 900_000 },
  'rate-limited': { firstMs: 10_000, longestMs: 600_000 },
  refused: { firstMs: 60_000, longestMs: 900_000 },
  drifted: { firstMs: 30_000, longestMs: 600_000 },
  failing: { firstMs: 2_000, longestMs: 60_000 },
  unreachable: { firstMs: 1_000, longestMs: 30_000 },
} as const satisfies Record<SupplyFaultState, { firstMs: number; longestMs: number }>;

/** An upstream may ask for patience, but not switch us off for good. */
const LONGEST_RETRY_AFTER_MS = 3_600_000;
/** Replicas that failed together must not come back together. */
const JITTER = 0.25;

/** Doubles with each failure up to the longest wait of its kind, plus up to a quarter. `random` gives numbers from 0 to 1. */
export function createBackOff(options: { random(): number }): BackOff {
  let failures = 0;
  return {
    next({ state, retryAfterMs = 0 }) {
      const { firstMs, longestMs } = waits[state];
      const grownMs = Math.min(longestMs, firstMs * 2 ** Math.min(failures, 20));
      failures++;
      const baseMs = Math.max(grownMs, Math.min(retryAfterMs, LONGEST_RETRY_AFTER_MS));
      return Math.ceil(baseMs * (1 + JITTER * options.random()));
    },
    reset() {
      failures = 0;
    },
  };
}
