/** What a rate limiter says about one request. Times are milliseconds from now. */
export interface RateDecision {
  readonly isAllowed: boolean;
  /** Requests that may be made at once when none was made for a while. */
  readonly limit: number;
  /** Requests that may be made at once from here on. */
  readonly remaining: number;
  /** Until all of the limit is there again. */
  readonly resetMs: number;
  /** Until the next request is allowed; 0 when one is. */
  readonly retryAfterMs: number;
}

/** Bounds how often each key may ask. */
export interface RateLimiter {
  /** Counts a request of `key`, unless it is refused: who is refused does not wait longer for having asked. Never rejects by itself. */
  take(key: string): Promise<RateDecision>;
}

/** How much is allowed: `limit` requests in any burst, and as many again evenly spread over each `periodMs`. */
export interface RateLimit {
  readonly limit: number;
  readonly periodMs: number;
}
