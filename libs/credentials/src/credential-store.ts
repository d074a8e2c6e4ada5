import type { Credential } from './credential.ts';
import type { PoolState } from './pool-state.ts';

/**
 * How a lease ended. `good`: nothing to say; `busy`: the identity is at its limit, let it rest; `dead`: the token is refused, never use
 * it again; `challenged`: this identity is asked for human verification.
 */
export type LeaseOutcome =
  | { readonly result: 'good' }
  | { readonly result: 'busy'; readonly coolDownMs: number }
  | { readonly result: 'dead' }
  | { readonly result: 'challenged'; readonly coolDownMs: number };

/** The right to run one turn on a credential until its deadline. */
export interface Lease {
  readonly credential: Credential;
  /** Rises with every lease of a store: of two leases of one slot, the higher one is in force. */
  readonly fence: number;
  /** Gives the slot back. Idempotent; after the deadline, when the slot is somebody else's, it changes nothing. */
  release(outcome: LeaseOutcome): Promise<void>;
}

/** What a turn asks a credential for. */
export interface LeaseRequest {
  /** Leaves the queue at once when it aborts. */
  readonly signal: AbortSignal;
  /** How long to wait for a free credential, in milliseconds; 0 = answer at once. */
  readonly waitMs: number;
  /** How long the lease holds without `renew`, in milliseconds. */
  readonly leaseMs: number;
  /** Ids that this turn has tried already. */
  readonly exclude?: ReadonlySet<string>;
  /** The only kinds that will do; it waits for one of them while others are free. Default: any. */
  readonly kinds?: ReadonlySet<Credential['kind']>;
  /** The upstream's id of the model that is to be asked, for stores whose credentials may rest for one model alone. */
  readonly model?: string;
  /** How long to wait for a rest of that model alone to end, in milliseconds, where that is less than `waitMs`. */
  readonly modelWaitMs?: number;
}

/** Every credential is counted in exactly one of the states; `total` is the sum of the first four. */
export interface KindCounts {
  /** Has a free slot and may be leased now. */
  readonly ready: number;
  /** All its slots are taken. */
  readonly leased: number;
  readonly coolingDown: number;
  readonly challenged: number;
  readonly total: number;
  /** Past its expiry, but still leased or not yet taken out. Not in `total`. */
  readonly expired: number;
}

/** How many credentials there are of each kind, by what they are good for now. */
export interface PoolCounts {
  readonly guest: KindCounts;
  readonly user: KindCounts;
  /** Lease requests that wait. */
  readonly waiting: number;
}

/** The credentials that all turns share. Every implementation passes `describeCredentialStore`. */
export interface CredentialStore {
  /**
   * A user credential before a guest, then the least busy. Waits its turn, first come first served, for at most `waitMs`. Rejects with
   * `signal.reason`; with the typed error of the pool state, at once, when nothing usable is there or comes back within the wait and the
   * supply is bad (or every credential is challenged); with `no_capacity` after the wait; with `shutting_down` once closed. Each of the
   * errors says `retryAfterSeconds`.
   */
  lease(request: LeaseRequest): Promise<Lease>;
  /**
   * Moves the deadline to `leaseMs` from now. A lease whose deadline has passed takes its slot again when nobody else has it, and so does one
   * of which the store has lost its memory. False when the slot is somebody else's, or was given back: the turn must end. Rejects when the
   * store cannot be asked: then nobody knows.
   */
  renew(lease: Lease, leaseMs: number): Promise<boolean>;
  /** Adds a credential, or replaces the one with its id, whose running leases and cool-down then stay. */
  put(credential: Credential): Promise<void>;
  /** Takes a credential out; leases that run on it end by themselves. */
  remove(id: string): Promise<void>;
  /** Takes out the idle credentials that expire by `byMs` (default: now) and returns them for clean-up; leased ones stay until they come back. */
  retireExpired(byMs?: number): Promise<Credential[]>;
  counts(): Promise<PoolCounts>;
  /** The ids of a kind that are in the store and not expired, in any order. */
  ids(kind: Credential['kind']): Promise<string[]>;
  setPoolState(state: PoolState): Promise<void>;
  /** What was set last, also when its `untilMs` has passed. */
  poolState(): Promise<PoolState>;
  /** Calls back, soon and at least once, after a lease had to wait or a credential was lost; must not throw. Returns the way to stop it. */
  onDemand(listener: () => void): () => void;
  /** Refuses those who wait and every later lease. Idempotent. */
  close(): Promise<void>;
}
