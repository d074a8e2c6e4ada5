/** How far back mints are counted. */
export const BUDGET_WINDOW_MS = 3_600_000;

/** Tolerated clock skew between replicas: mints dated further ahead were noted by a clock that was wrong, and are ignored. */
export const MAX_CLOCK_SKEW_MS = 60_000;

/** Which mints a booking may add up to. */
export interface MintBooking {
  /** Wanted now. */
  readonly count: number;
  /** The most of any hour, of all replicas together. */
  readonly mostPerHour: number;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

/** The guests that were asked for lately, successful or not, counted over all replicas. */
export interface MintBudget {
  /** When they were asked for within the last hour, milliseconds since the epoch, oldest first. */
  recent(nowMs: number): Promise<readonly number[]>;
  /** Counts mints before they are made; returns how many of them may be made. Bookings at the same time never add up to more than the cap. */
  book(booking: MintBooking): Promise<number>;
}
