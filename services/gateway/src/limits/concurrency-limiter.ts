/** The right to run one turn. */
export interface ConcurrencySlot {
  /** Gives the right to the next waiter. Calls after the first do nothing. */
  release(): void;
}

/** Bounds how many turns run at the same time, of all keys together and of each. */
export interface ConcurrencyLimiter {
  /**
   * Resolves when a turn of `key` may run. Keys take turns, so that nobody waits for all that somebody else has queued; within a key it goes
   * by arrival. Rejects with a TurnError `rate_limited` when too many wait or the wait took too long, and with the signal's reason, leaving
   * the queue at once, when the signal aborts.
   */
  acquire(key: string, signal: AbortSignal): Promise<ConcurrencySlot>;
  /** How many wait now. */
  waiting(): number;
}
