import { describe, expect, it } from '@jest/globals';
import { type StoreScene } from './store-scene.conformance.ts';

/** What is in the store, how it gets there and how it goes. */
export function describeContents(scene: StoreScene): void {
  const { credential, put, leaseNow, idOf, refusal } = scene;

  describe('putting and taking out', () => {
    it('replaces a credential of the same id and keeps its leases and its rest', async () => {
      await put(credential('a', { concurrency: 2 }));
      const first = await leaseNow();
      await put(credential('a', { concurrency: 2, token: 'rotated' }));
      const second = await leaseNow();
      expect(second.credential.token).toBe('rotated');
      await expect(leaseNow()).rejects.toEqual(refusal('no_capacity'));
      await first.release({ result: 'busy', coolDownMs: 5_000 });
      await put(credential('a', { concurrency: 2, token: 'rotated again' }));
      expect((await scene.store.counts()).guest).toMatchObject({ coolingDown: 1, total: 1 });
    });

    it('keeps the limit of an identity that was taken out and put back while it ran', async () => {
      await put(credential('a'));
      const running = await leaseNow();
      await scene.store.remove('a');
      expect((await scene.store.counts()).guest.total).toBe(0);
      await put(credential('a'));
      await expect(leaseNow()).rejects.toEqual(refusal('no_capacity'));
      await running.release({ result: 'good' });
      expect(await idOf(leaseNow())).toBe('a');
    });

    it('takes out what is removed; removing the unknown is no error', async () => {
      await put(credential('a'), credential('b'));
      await scene.store.remove('a');
      await scene.store.remove('nobody');
      expect((await scene.store.counts()).guest.total).toBe(1);
      expect(await idOf(leaseNow())).toBe('b');
    });

    it('does not hand out what has expired, and returns it once for clean-up', async () => {
      await put(credential('old', { expiresAtMs: scene.subject.now() + 10_000 }), credential('young'));
      await scene.subject.advance(10_000);
      expect((await scene.store.counts()).guest).toMatchObject({ ready: 1, total: 1, expired: 1 });
      expect(await idOf(leaseNow())).toBe('young');
      await expect(leaseNow()).rejects.toEqual(refusal('no_capacity'));
      expect((await scene.store.retireExpired()).map(({ id, token }) => ({ id, token }))).toEqual([
        { id: 'old', token: 'token-of-old' },
      ]);
      expect(await scene.store.retireExpired()).toEqual([]);
      expect((await scene.store.counts()).guest.expired).toBe(0);
    });

    it('retires ahead of time on demand, and never a user token', async () => {
      await put(
        credential('soon', { expiresAtMs: scene.subject.now() + 10_000 }),
        credential('user', { kind: 'user', expiresAtMs: Infinity }),
      );
      expect(await scene.store.retireExpired(scene.subject.now() + 9_999)).toEqual([]);
      expect((await scene.store.retireExpired(scene.subject.now() + 10_000)).map(({ id }) => id)).toEqual(['soon']);
      expect((await scene.store.counts()).user.ready).toBe(1);
    });

    it('leaves an expired credential to the turn that runs on it', async () => {
      await put(credential('a', { expiresAtMs: scene.subject.now() + 10_000 }));
      const lease = await leaseNow();
      await scene.subject.advance(10_000);
      expect(await scene.store.retireExpired()).toEqual([]);
      await lease.release({ result: 'good' });
      await expect(leaseNow()).rejects.toEqual(refusal('no_capacity'));
      expect((await scene.store.retireExpired()).map(({ id }) => id)).toEqual(['a']);
    });
  });

  describe('counts', () => {
    it('counts each credential once, by kind', async () => {
      await put(
        credential('ready', { kind: 'user', concurrency: 2 }),
        credential('leased'),
        credential('resting'),
        credential('challenged'),
        credential('expired', { expiresAtMs: scene.subject.now() }),
      );
      const except = (...ids: string[]): ReadonlySet<string> => new Set(ids);
      await leaseNow({ exclude: except('leased', 'resting', 'challenged') });
      await leaseNow({ exclude: except('ready', 'resting', 'challenged') });
      const resting = await leaseNow({ exclude: except('ready', 'challenged') });
      await resting.release({ result: 'busy', coolDownMs: 1_000 });
      const challenged = await leaseNow({ exclude: except('ready', 'resting') });
      await challenged.release({ result: 'challenged', coolDownMs: 1_000 });
      expect(await scene.store.counts()).toEqual({
        user: { ready: 1, leased: 0, coolingDown: 0, challenged: 0, total: 1, expired: 0 },
        guest: { ready: 0, leased: 1, coolingDown: 1, challenged: 1, total: 3, expired: 1 },
        waiting: 0,
      });
    });
  });

  describe('ids', () => {
    it('names those of a kind that are there', async () => {
      await put(
        credential('guest'),
        credential('one', { kind: 'user' }),
        credential('two', { kind: 'user' }),
        credential('three', { kind: 'user' }),
        credential('over', { kind: 'user', expiresAtMs: scene.subject.now() + 1_000 }),
      );
      await (await leaseNow({ exclude: new Set(['two', 'three', 'over']) })).release({ result: 'dead' });
      await (await leaseNow({ kinds: new Set(['user']) })).release({ result: 'busy', coolDownMs: 60_000 });
      await scene.subject.advance(1_000);
      expect((await scene.store.ids('user')).sort()).toEqual(['three', 'two']);
      expect(await scene.store.ids('guest')).toEqual(['guest']);
      await scene.store.remove('two');
      expect(await scene.store.ids('user')).toEqual(['three']);
    });
  });
}
