import { trace } from '@opentelemetry/api';
import {
  isStoreUnavailable,
  type CredentialStore,
  type Lease,
  type LeaseOutcome,
  type LeaseRequest,
} from '@zai2api/credentials';
import { inSpan } from '@zai2api/runtime';
import { TurnError } from '@zai2api/turn';

/** A lease that renews itself until it is released. */
export interface KeptLease {
  readonly lease: Lease;
  /**
   * Aborts, with the error that the turn is to end in, when the slot has become somebody else's: this process stood still, or did not reach
   * the store, until the deadline of the lease had passed. Whatever runs on the credential must end at once.
   */
  readonly lost: AbortSignal;
  /** Gives the credential back; resolves when the store knows. Idempotent: the first outcome counts. Never rejects. */
  release(outcome: LeaseOutcome): Promise<void>;
}

/** What a turn wants of a lease. */
export type LeaseWish = LeaseRequest & {
  /** Hears of renewals and releases that failed for another reason than a store that is away. */
  readonly onFailure: (reason: unknown) => void;
};

const tracer = trace.getTracer('@zai2api/chat-translator');

/** A lease is renewed when this share of its time is over. */
const RENEW_SHARE = 1 / 3;
/** While the store cannot be asked: often, so that a lease is kept if an outage ends before its deadline. */
const RETRY_SHARE = 1 / 12;

/** Leases a credential and keeps it. Throws what `store.lease` throws. */
export async function keepLease(store: CredentialStore, { onFailure, ...request }: LeaseWish): Promise<KeptLease> {
  const { leaseMs } = request;
  // The wait for a free credential included.
  const lease = await inSpan(tracer, 'lease credential', {}, () => store.lease(request));
  const lost = new AbortController();
  const hear = (reason: unknown): void => {
    if (!isStoreUnavailable(reason)) onFailure(reason);
  };
  let released: Promise<void> | undefined;
  let timer = renewIn(leaseMs * RENEW_SHARE);

  function renewIn(delayMs: number): NodeJS.Timeout {
    return setTimeout(() => void renew(), delayMs).unref();
  }

  async function renew(): Promise<void> {
    let delayMs = leaseMs * RENEW_SHARE;
    try {
      if (!(await store.renew(lease, leaseMs)) && released === undefined) {
        lost.abort(leaseLost());
        return;
      }
    } catch (reason) {
      hear(reason);
      delayMs = leaseMs * RETRY_SHARE;
    }
    if (released === undefined) timer = renewIn(delayMs);
  }

  return {
    lease,
    lost: lost.signal,
    release(outcome) {
      clearTimeout(timer);
      released ??= lease.release(outcome).catch(hear);
      return released;
    },
  };
}

const leaseLost = (): TurnError =>
  new TurnError('no_capacity', 'The upstream credential of this turn has been given to another one.', {
    layer: 'pool',
    reason: 'lease_lost',
    retryAfterSeconds: 1,
    recovery: 'other-credential',
  });
