import { trace } from '@opentelemetry/api';
import {
  isStoreUnavailable,
  type CredentialStore,
  type Lease,
  type LeaseOutcome,
  type LeaseRequest,
} from '@zai2api/credentials';
import { inSpan, type Logger } from '@zai2api/runtime';
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

/** Which lease is asked for, and where is told that it could not be renewed or released. */
export type KeepLeaseOptions = LeaseRequest & { readonly logger: Pick<Logger, 'warn'> };

const tracer = trace.getTracer('@zai2api/chat-translator');

/** A lease is renewed when this share of its time is over. */
const RENEW_SHARE = 1 / 3;
/** While the store cannot be asked: often, so that a lease is kept if an outage ends before its deadline. */
const RETRY_SHARE = 1 / 12;

/** Leases a credential and keeps it. Throws what `store.lease` throws. */
export async function keepLease(store: CredentialStore, { logger, ...request }: KeepLeaseOptions): Promise<KeptLease> {
  const { leaseMs } = request;
  // The wait for a free credential included.
  const lease = await inSpan(tracer, 'lease credential', {}, () => store.lease(request));
  const lost = new AbortController();
  function warn(reason: unknown, message: string): void {
    // A store that is away is told of by whoever watches it, once and not for each lease.
    if (!isStoreUnavailable(reason)) logger.warn({ err: reason, credential: lease.credential.id }, message);
  }
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
      warn(reason, 'could not renew the lease');
      delayMs = leaseMs * RETRY_SHARE;
    }
    if (released === undefined) timer = renewIn(delayMs);
  }

  return {
    lease,
    lost: lost.signal,
    release(outcome) {
      clearTimeout(timer);
      released ??= lease.release(outcome).catch((reason: unknown) => warn(reason, 'could not release the lease'));
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
