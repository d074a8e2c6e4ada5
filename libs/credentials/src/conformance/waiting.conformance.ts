import { describe, expect, it } from '@jest/globals';
import { within, type StoreScene } from './store-scene.conformance.ts';

/** Who waits, how long, and in which order. */
export function describeWaiting(scene: StoreScene): void {
  const { credential, put, request, leaseNow, idOf, untilCounts, leaseInLine, refusal } = scene;

  describe('waiting', () => {
    it('refuses at once when told not to wait', async () => {
      await expect(leaseNow()).rejects.toEqual(refusal('no_capacity'));
      expect((await scene.store.counts()).waiting).toBe(0);
    });

    it('refuses after the wait, and not before', async () => {
      const { lease } = await leaseInLine({ waitMs: 10_000 });
      await scene.subject.advance(9_999);
      expect((await scene.store.counts()).waiting).toBe(1);
      await scene.subject.advance(1);
      await expect(within(lease, 'the refusal')).rejects.toEqual(refusal('no_capacity'));
      expect((await scene.store.counts()).waiting).toBe(0);
    });

    it('says when a resting credential comes back', async () => {
      await put(credential('a'));
      await (await leaseNow()).release({ result: 'busy', coolDownMs: 7_500 });
      await expect(leaseNow()).rejects.toMatchObject({ code: 'no_capacity', details: { retryAfterSeconds: 8 } });
    });

    it('wakes those who wait by a release, first come first served', async () => {
      await put(credential('a'));
      const held = await leaseNow();
      const first = await leaseInLine();
      const second = await leaseInLine();
      await held.release({ result: 'good' });
      const firstLease = await within(first.lease, 'the first lease');
      expect((await scene.store.counts()).waiting).toBe(1);
      await firstLease.release({ result: 'good' });
      expect((await within(second.lease, 'the second lease')).fence).toBeGreaterThan(firstLease.fence);
    });

    it('wakes those who wait by a new credential, as many as it can carry', async () => {
      const first = await leaseInLine();
      const second = await leaseInLine();
      await leaseInLine();
      await put(credential('a', { concurrency: 2 }));
      expect([await idOf(first.lease), await idOf(second.lease)]).toEqual(['a', 'a']);
      expect((await scene.store.counts()).waiting).toBe(1);
    });

    it('lets nobody overtake who could use what is free', async () => {
      await put(credential('a'));
      const held = await leaseNow();
      const patient = await leaseInLine();
      const released = held.release({ result: 'good' });
      const newcomer = scene.store.lease(request({ waitMs: 0 }));
      newcomer.catch(() => undefined);
      await released;
      expect(await idOf(patient.lease)).toBe('a');
      await expect(within(newcomer, 'the refusal')).rejects.toEqual(refusal('no_capacity'));
    });

    it('is not held up by a waiter who may not use what is free', async () => {
      await put(credential('a'));
      const held = await leaseNow();
      const choosy = await leaseInLine({ exclude: new Set(['a']) });
      const other = await leaseInLine();
      await held.release({ result: 'good' });
      expect(await idOf(other.lease)).toBe('a');
      expect((await scene.store.counts()).waiting).toBe(1);
      await put(credential('b'));
      expect(await idOf(choosy.lease)).toBe('b');
    });

    it('waits for the kind that will do while others are free, and holds up nobody', async () => {
      await put(credential('guest'), credential('user', { kind: 'user' }));
      const held = await leaseNow();
      const choosy = await leaseInLine({ kinds: new Set(['user']) });
      expect(await idOf(leaseNow())).toBe('guest');
      await put(credential('another guest'));
      expect((await scene.store.counts()).waiting).toBe(1);
      await held.release({ result: 'good' });
      expect(await idOf(choosy.lease)).toBe('user');
    });

    it('refuses an aborted request with its reason and takes nothing for it', async () => {
      await put(credential('a'));
      const reason = new Error('left before asking');
      await expect(leaseNow({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      expect((await scene.store.counts()).guest.ready).toBe(1);
    });

    it('lets a waiter leave at once, and its place in the queue with it', async () => {
      await put(credential('a'));
      const held = await leaseNow();
      const controller = new AbortController();
      const leaving = await leaseInLine({ signal: controller.signal });
      const staying = await leaseInLine();
      const reason = new Error('the client left');
      controller.abort(reason);
      await expect(within(leaving.lease, 'leaving')).rejects.toBe(reason);
      await untilCounts(({ waiting }) => waiting === 1);
      await held.release({ result: 'good' });
      expect(await idOf(staying.lease)).toBe('a');
    });

    it('does not take a lease back when the signal aborts after it was given', async () => {
      await put(credential('a'));
      const controller = new AbortController();
      const lease = await leaseNow({ signal: controller.signal });
      controller.abort();
      expect((await scene.store.counts()).guest.leased).toBe(1);
      await lease.release({ result: 'good' });
      expect((await scene.store.counts()).guest.ready).toBe(1);
    });
  });
}
