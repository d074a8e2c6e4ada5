import { trace } from '@opentelemetry/api';
import type { CredentialStore, Lease, LeaseOutcome, LeaseRequest } from '@zai2api/credentials';
import { inSpan } from '@zai2api/runtime';

/** A lease that renews itself until it is released. */
export interface KeptLease {
  readonly lease: Lease;
  /** Gives the credential back; resolves when the store knows. Idempotent: the first outcome counts. Never rejects. */
  release(outcome: LeaseOutcome): Promise<void>;
}

/** A crashed process blocks its credentials for at most this long. */
const LEASE_MS = 60_000;
const RENEW_MS = LEASE_MS / 3;

const tracer = trace.getTracer('@zai2api/chat-translator');

/** Leases a credential and keeps it. Throws what `store.lease` throws; `onFailure` hears of renewals and releases that failed. */
export async function keepLease(
  store: CredentialStore,
  wanted: Omit<LeaseRequest, 'leaseMs'>,
  onFailure: (reason: unknown) => void,
): Promise<KeptLease> {
  // The wait for a free credential included.
  const lease = await inSpan(tracer, 'lease credential', {}, () => store.lease({ ...wanted, leaseMs: LEASE_MS }));
  const timer = setInterval(() => void store.renew(lease, LEASE_MS).catch(onFailure), RENEW_MS);
  timer.unref();
  let released: Promise<void> | undefined;
  return {
    lease,
    release(outcome) {
      clearInterval(timer);
      released ??= lease.release(outcome).catch(onFailure);
      return released;
    },
  };
}
