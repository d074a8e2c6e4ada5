import { describe, expect, it } from '@jest/globals';
import { within, type StoreScene } from './store-scene.conformance.ts';

/** What leases are worth once time has passed. */
export function describeDeadlines(scene: StoreScene): void {
  const { credential, put, leaseNow, idOf, leaseInLine, refusal } = scene;

  describe('deadlines and fences', () => {
    it('frees the slot of a lease whose deadline has passed and wakes who waits for it', async () => {
      await put(credential('a'));
      const lost = await leaseNow({ leaseMs: 5_000 });
      const { lease } = await leaseInLine();
      await scene.subject.advance(4_999);
      expect((await scene.store.counts()).waiting).toBe(1);
      await scene.subject.advance(1);
      expect((await within(lease, 'the next lease')).fence).toBeGreaterThan(lost.fence);
    });

    it.each([
      { result: 'good' as const },
      { result: 'busy' as const, coolDownMs: 60_000 },
      { result: 'dead' as const },
      { result: 'challenged' as const, coolDownMs: 60_000 },
    ])('lets a late release ($result) change nothing', async (outcome) => {
      await put(credential('a'));
      const late = await leaseNow({ leaseMs: 5_000 });
      await scene.subject.advance(5_000);
      const current = await leaseNow();
      await late.release(outcome);
      expect(await scene.store.counts()).toMatchObject({ guest: { leased: 1, ready: 0, total: 1 } });
      await expect(leaseNow()).rejects.toEqual(refusal('no_capacity'));
      await current.release({ result: 'good' });
      expect(await idOf(leaseNow())).toBe('a');
    });

    it('frees one slot for one lease, however often it is released', async () => {
      await put(credential('a', { concurrency: 2 }));
      const first = await leaseNow();
      await leaseNow();
      await first.release({ result: 'good' });
      await first.release({ result: 'dead' });
      await leaseNow();
      await expect(leaseNow()).rejects.toEqual(refusal('no_capacity'));
    });

    it('renews a lease that holds, and none that was given back', async () => {
      await put(credential('a'));
      const lease = await leaseNow({ leaseMs: 5_000 });
      await scene.subject.advance(4_000);
      expect(await scene.store.renew(lease, 5_000)).toBe(true);
      await scene.subject.advance(4_000);
      expect((await scene.store.counts()).guest.leased).toBe(1);
      await scene.subject.advance(1_000);
      expect((await scene.store.counts()).guest.ready).toBe(1);
      const other = await leaseNow();
      await other.release({ result: 'good' });
      expect(await scene.store.renew(other, 5_000)).toBe(false);
      expect((await scene.store.counts()).guest.ready).toBe(1);
    });

    it('lets a late renewal take its slot again while nobody has it, and never beyond the limit', async () => {
      await put(credential('a', { concurrency: 2 }));
      const late = await leaseNow({ leaseMs: 5_000 });
      const later = await leaseNow({ leaseMs: 5_000 });
      await scene.subject.advance(5_000);
      expect((await scene.store.counts()).guest.ready).toBe(1);
      expect(await scene.store.renew(late, 5_000)).toBe(true);
      await leaseNow();
      expect((await scene.store.counts()).guest.leased).toBe(1);
      expect(await scene.store.renew(later, 5_000)).toBe(false);
      await late.release({ result: 'good' });
      await leaseNow();
      await expect(leaseNow()).rejects.toEqual(refusal('no_capacity'));
      expect(await scene.store.renew(late, 5_000)).toBe(false);
      expect(await scene.store.renew(later, 5_000)).toBe(false);
    });

    it('frees a slot that was taken again at its new deadline', async () => {
      await put(credential('a'));
      const late = await leaseNow({ leaseMs: 5_000 });
      await scene.subject.advance(6_000);
      expect(await scene.store.renew(late, 5_000)).toBe(true);
      await scene.subject.advance(4_999);
      expect((await scene.store.counts()).guest.leased).toBe(1);
      await scene.subject.advance(1);
      expect((await scene.store.counts()).guest.ready).toBe(1);
    });

    it('lets a turn go on whose credential is gone, and counts it when the credential is back', async () => {
      await put(credential('a', { expiresAtMs: scene.subject.now() + 1_000 }));
      const lease = await leaseNow({ leaseMs: 5_000 });
      await scene.subject.advance(5_000);
      expect((await scene.store.retireExpired()).map(({ id }) => id)).toEqual(['a']);
      expect(await scene.store.renew(lease, 5_000)).toBe(true);
      await put(credential('a'));
      expect(await scene.store.renew(lease, 5_000)).toBe(true);
      await expect(leaseNow()).rejects.toEqual(refusal('no_capacity'));
      await lease.release({ result: 'good' });
      expect(await idOf(leaseNow())).toBe('a');
    });
  });
}
