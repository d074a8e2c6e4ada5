/** What a tick wants of the schedule. */
export interface TickResult {
  /** The next tick is wanted within this time, in milliseconds, when that is sooner than the regular one. */
  readonly nextInMs?: number;
}

/** When the pool is looked at. Never two ticks at once, whichever replicas they run in. Every implementation passes `describeRefillSchedule`. */
export interface RefillSchedule {
  /**
   * Ticks at once, then as the schedule says; with replicas, each tick runs in one of them. A tick that throws is logged and the schedule
   * goes on. `signal` aborts when the schedule stops, or when the tick is no longer known to be the only one. Later calls do nothing.
   */
  start(tick: (signal: AbortSignal) => Promise<TickResult>): void;
  /** Asks for a tick soon: somebody waits for a credential. Many requests are one tick; those during a tick are one more. */
  requestTick(): void;
  /** No more ticks; aborts the running one and resolves when it is over. Idempotent. */
  stop(): Promise<void>;
}
