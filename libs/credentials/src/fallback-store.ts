import type { CredentialStore, Lease } from './credential-store.ts';
import { isStoreUnavailable } from './redis/store-unavailable.ts';

/**
 * A shared store with a local one behind it, from which turns are served while the shared one cannot be asked. Only leases fall back: what
 * is put in or taken out, and the counts, are the shared store's. Closes both.
 */
export function createFallbackStore(shared: CredentialStore, local: CredentialStore): CredentialStore {
  const localLeases = new WeakSet<Lease>();

  return {
    ...shared,
    async lease(request) {
      try {
        return await shared.lease(request);
      } catch (error) {
        if (!isStoreUnavailable(error)) throw error;
        // The operator's tokens in the local store are few: who would have to wait hears why at once.
        const lease = await local.lease({ ...request, waitMs: 0 }).catch(() => {
          throw error;
        });
        localLeases.add(lease);
        return lease;
      }
    },
    renew: (lease, leaseMs) => (localLeases.has(lease) ? local : shared).renew(lease, leaseMs),
    async close() {
      await Promise.all([shared.close(), local.close()]);
    },
  };
}
