import { describe, expect, it } from '@jest/globals';
import { within, type StoreScene } from './store-scene.conformance.ts';

/** What becomes of a credential by how its turns went. */
export function describeOutcomes(scene: StoreScene): void {
  const { credential, put, request, leaseNow, idOf, leaseInLine, refusal } = scene;

  describe('outcomes', () => {
    it('rests a busy credential and brings it back by itself', async () => {
      await put(credential('a'));
      await (await leaseNow()).release({ result: 'busy', coolDownMs: 3_000 });
      expect((await scene.store.counts()).guest).toMatchObject({ ready: 0, coolingDown: 1, total: 1 });
      const { lease } = await leaseInLine();
      await scene.subject.advance(3_000);
      expect(await idOf(lease)).toBe('a');
    });

    it('does not shorten a cool-down', async () => {
      await put(credential('a', { concurrency: 3 }));
      const leases = [await leaseNow(), await leaseNow(), await leaseNow()] as const;
      await leases[0].release({ result: 'busy', coolDownMs: 10_000 });
      await leases[1].release({ result: 'busy', coolDownMs: 1_000 });
      await leases[2].release({ result: 'good' });
      await scene.subject.advance(9_999);
      expect((await scene.store.counts()).guest.coolingDown).toBe(1);
      await scene.subject.advance(1);
      expect((await scene.store.counts()).guest.ready).toBe(1);
    });

    it('never uses a dead credential again', async () => {
      await put(credential('a', { concurrency: 2 }));
      const first = await leaseNow();
      const second = await leaseNow();
      await first.release({ result: 'dead' });
      expect((await scene.store.counts()).guest.total).toBe(0);
      await second.release({ result: 'good' });
      await expect(leaseNow()).rejects.toEqual(refusal('no_capacity'));
    });

    it('does not blame a rotated token for the old one', async () => {
      await put(credential('a', { kind: 'user', token: 'old' }));
      const lease = await leaseNow();
      await put(credential('a', { kind: 'user', token: 'new' }));
      await lease.release({ result: 'dead' });
      expect((await leaseNow()).credential.token).toBe('new');
    });

    it('answers for challenged credentials at once, until they are back', async () => {
      await put(credential('a'));
      await (await leaseNow()).release({ result: 'challenged', coolDownMs: 300_000 });
      expect((await scene.store.counts()).guest).toMatchObject({ challenged: 1, ready: 0, total: 1 });
      await expect(within(scene.store.lease(request()), 'the refusal')).rejects.toMatchObject({
        code: 'upstream_challenged',
        details: { retryAfterSeconds: 300 },
      });
      await scene.subject.advance(300_000);
      expect(await idOf(leaseNow())).toBe('a');
    });

    it('tells those who wait already, when the last one is challenged', async () => {
      await put(credential('a'));
      const held = await leaseNow();
      const { lease } = await leaseInLine();
      await held.release({ result: 'challenged', coolDownMs: 300_000 });
      await expect(within(lease, 'the refusal')).rejects.toEqual(refusal('upstream_challenged'));
    });

    it('uses the others while one is challenged', async () => {
      await put(credential('a'), credential('b'));
      const challenged = await leaseNow();
      await challenged.release({ result: 'challenged', coolDownMs: 300_000 });
      const other = await leaseNow();
      const { lease } = await leaseInLine();
      await other.release({ result: 'good' });
      expect(await idOf(lease)).toBe(other.credential.id);
    });
  });
}
