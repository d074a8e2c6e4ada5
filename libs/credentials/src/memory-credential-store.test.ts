import { describe, expect, it } from '@jest/globals';
import type { Credential } from './credential.ts';
import { createManualClock } from './conformance/manual-clock.conformance.ts';
import { describeCredentialStore } from './credential-store.conformance.ts';
import { createMemoryCredentialStore } from './memory-credential-store.ts';

describeCredentialStore('the memory store', () => {
  const clock = createManualClock();
  const store = createMemoryCredentialStore(clock);
  return Promise.resolve({
    store,
    now: () => clock.now(),
    advance: (ms) => clock.advance(ms),
    close: () => store.close(),
  });
});

const guest: Credential = {
  id: 'a',
  kind: 'guest',
  token: 'token',
  userId: 'user',
  userName: 'name',
  createdAtMs: 0,
  expiresAtMs: Infinity,
  concurrency: 1,
};

describe('the memory store', () => {
  const signal = new AbortController().signal;

  it('keeps deadlines with the timers of the platform', async () => {
    const store = createMemoryCredentialStore({ now: () => Date.now() });
    try {
      await store.put(guest);
      await store.lease({ signal, waitMs: 0, leaseMs: 20 });
      await expect(store.lease({ signal, waitMs: 5_000, leaseMs: 1_000 })).resolves.toMatchObject({ fence: 2 });
      await expect(store.lease({ signal, waitMs: 20, leaseMs: 1_000 })).rejects.toMatchObject({ code: 'no_capacity' });
    } finally {
      await store.close();
    }
  });

  it('leaves no timer behind when it is closed', async () => {
    const clock = createManualClock();
    const store = createMemoryCredentialStore(clock);
    await store.put(guest);
    const lease = await store.lease({ signal, waitMs: 0, leaseMs: 60_000 });
    const waiting = store.lease({ signal, waitMs: 60_000, leaseMs: 60_000 });
    expect(clock.pendingTimers).toBeGreaterThan(0);
    await store.close();
    await expect(waiting).rejects.toMatchObject({ code: 'shutting_down' });
    await lease.release({ result: 'busy', coolDownMs: 1_000 });
    expect(await store.renew(lease, 1_000)).toBe(false);
    expect(clock.pendingTimers).toBe(0);
  });

  it('settles a passed deadline also when its timer is late', async () => {
    let nowMs = 0;
    const store = createMemoryCredentialStore({ now: () => nowMs, startTimer: () => () => undefined });
    await store.put(guest);
    const late = await store.lease({ signal, waitMs: 0, leaseMs: 1_000 });
    nowMs = 1_000;
    await late.release({ result: 'dead' });
    await expect(store.lease({ signal, waitMs: 0, leaseMs: 1_000 })).resolves.toMatchObject({ fence: 2 });
    await store.close();
  });
});
