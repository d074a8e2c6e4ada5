/** What a tick wants of the schedule. */
export interface TickResult {
  /** The next tick is wanted within this time, in milliseconds, when that is sooner than the regular one. */
  readonly nextInMs?: number;
}

/** When the pool is looked at. Never two ticks at once in one process. */
export interface RefillSchedule {
  /** Ticks at once, then as the schedule says. `signal` aborts when the schedule stops. */
  start(tick: (signal: AbortSignal) => Promise<TickResult>): void;
  /** Asks for a tick soon: somebody waits for a credential. */
  requestTick(): void;
  /** No more ticks; aborts the running one and resolves when it is over. Idempotent. */
  stop(): Promise<void>;
}
