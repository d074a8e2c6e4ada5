/** One upstream identity that turns can be run with. */
export interface Credential {
  /** Stable while the identity lives, also when its token is rotated. No secret: it may be logged. */
  readonly id: string;
  readonly kind: 'guest' | 'user';
  /** Secret: never logged, never in an error. */
  readonly token: string;
  /** The id that requests are signed for. */
  readonly userId: string;
  readonly userName: string;
  /** Milliseconds since the epoch, as is `expiresAtMs`. */
  readonly createdAtMs: number;
  /** From here on it is not handed out any more. `Infinity` for user tokens. */
  readonly expiresAtMs: number;
  /** How many leases may run on it at once, at least 1. */
  readonly concurrency: number;
}
