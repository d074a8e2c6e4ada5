import { afterEach, describe, expect, it } from '@jest/globals';
import type { Credential } from './credential.ts';
import type { CredentialStore } from './credential-store.ts';
import { createFallbackStore } from './fallback-store.ts';
import { createMemoryCredentialStore } from './memory-credential-store.ts';
import { storeUnavailable } from './redis/store-unavailable.ts';

const signal = new AbortController().signal;
const request = { signal, waitMs: 0, leaseMs: 1_000 };
const credential = (id: string): Credential => ({
  id,
  kind: 'user',
  token: `token-of-${id}`,
  userId: id,
  userName: id,
  createdAtMs: 0,
  expiresAtMs: Infinity,
  concurrency: 1,
});

let isDown = false;
const stores: CredentialStore[] = [];
afterEach(async () => {
  isDown = false;
  await Promise.all(stores.splice(0).map((store) => store.close()));
});

async function open(): Promise<CredentialStore> {
  const shared = createMemoryCredentialStore({ now: () => Date.now() });
  const local = createMemoryCredentialStore({ now: () => Date.now() });
  await shared.put(credential('shared'));
  await local.put(credential('local'));
  const store = createFallbackStore(
    { ...shared, lease: (wanted) => (isDown ? Promise.reject(storeUnavailable('ETIMEDOUT')) : shared.lease(wanted)) },
    local,
  );
  stores.push(store);
  return store;
}

describe('a fallback store', () => {
  it('leases from the shared store, and waits there for what is busy', async () => {
    const store = await open();
    expect((await store.lease(request)).credential.id).toBe('shared');
    await expect(store.lease(request)).rejects.toMatchObject({ code: 'no_capacity', details: { layer: 'pool' } });
  });

  it('leases from the local store while the shared one cannot be asked, and renews and releases there', async () => {
    const store = await open();
    isDown = true;
    const lease = await store.lease(request);
    expect(lease.credential.id).toBe('local');
    expect(await store.renew(lease, 1_000)).toBe(true);
    await expect(store.lease({ ...request, waitMs: 60_000 })).rejects.toMatchObject({
      details: { reason: 'store_unavailable' },
    });
    await lease.release({ result: 'good' });
    expect(await store.renew(lease, 1_000)).toBe(false);
    expect((await store.lease(request)).credential.id).toBe('local');
    isDown = false;
    expect((await store.lease(request)).credential.id).toBe('shared');
  });

  it('closes both', async () => {
    const store = await open();
    await store.close();
    await expect(store.lease(request)).rejects.toMatchObject({ code: 'shutting_down' });
    isDown = true;
    await expect(store.lease(request)).rejects.toMatchObject({ details: { reason: 'store_unavailable' } });
  });
});
