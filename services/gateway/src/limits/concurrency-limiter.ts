/** The right to run one turn. */
export interface ConcurrencySlot {
  /** Gives the right to the next waiter. Calls after the first do nothing. */
  release(): void;
}

/** Bounds how many turns run at the same time. */
export interface ConcurrencyLimiter {
  /**
   * Resolves when the turn may run; waits in order of arrival. Rejects with a TurnError `rate_limited` when too many wait or the wait took
   * too long, and with the signal's reason, leaving the queue at once, when the signal aborts.
   */
  acquire(signal: AbortSignal): Promise<ConcurrencySlot>;
  /** How many wait now. */
  waiting(): number;
}
