import type { SupplyFault, SupplyFaultState } from './supply-fault.ts';

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
/** Those who failed together must not come back together. */
const JITTER = 0.25;
/** The longest back-off there can be: a later end was written by a replica whose clock was ahead. */
export const LONGEST_BACK_OFF_MS = LONGEST_RETRY_AFTER_MS * (1 + JITTER);

/**
 * Milliseconds until the next try after a fault that `failures` others came before, without a success between them. Doubles with each
 * failure up to the longest wait of its kind, plus up to a quarter; never less than the upstream asked for, within an hour. `random` gives
 * numbers from 0 to 1.
 */
export function backOffMs({ state, retryAfterMs = 0 }: SupplyFault, failures: number, random: () => number): number {
  const { firstMs, longestMs } = waits[state];
  const grownMs = Math.min(longestMs, firstMs * 2 ** Math.min(failures, 20));
  const baseMs = Math.max(grownMs, Math.min(retryAfterMs, LONGEST_RETRY_AFTER_MS));
  return Math.ceil(baseMs * (1 + JITTER * random()));
}
