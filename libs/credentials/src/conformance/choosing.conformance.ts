import { describe, expect, it } from '@jest/globals';
import { within, type StoreScene } from './store-scene.conformance.ts';

/** Which credential a turn gets. */
export function describeChoosing(scene: StoreScene): void {
  const { credential, put, request, leaseNow, idOf, refusal } = scene;

  describe('choosing', () => {
    it('leases a ready credential with rising fences', async () => {
      await put(credential('a', { concurrency: 2 }));
      const first = await leaseNow();
      const second = await leaseNow();
      expect(first.credential).toEqual(credential('a', { concurrency: 2 }));
      expect(second.fence).toBeGreaterThan(first.fence);
    });

    it('prefers a user credential until its slots are taken', async () => {
      await put(credential('guest'), credential('user', { kind: 'user', concurrency: 2, expiresAtMs: Infinity }));
      expect([await idOf(leaseNow()), await idOf(leaseNow()), await idOf(leaseNow())]).toEqual([
        'user',
        'user',
        'guest',
      ]);
    });

    it('takes the least busy one', async () => {
      await put(credential('a', { concurrency: 3 }), credential('b', { concurrency: 3 }));
      const first = await leaseNow();
      const second = await leaseNow();
      expect(new Set([first.credential.id, second.credential.id])).toEqual(new Set(['a', 'b']));
      await leaseNow();
      await leaseNow();
      await second.release({ result: 'good' });
      expect(await idOf(leaseNow())).toBe(second.credential.id);
    });

    it('takes turns among equally busy ones', async () => {
      await put(credential('a'), credential('b'), credential('c'));
      const used: string[] = [];
      for (let turn = 0; turn < 6; turn++) {
        const lease = await leaseNow();
        used.push(lease.credential.id);
        await lease.release({ result: 'good' });
      }
      expect(used.slice(0, 3).sort()).toEqual(['a', 'b', 'c']);
      expect(used.slice(3)).toEqual(used.slice(0, 3));
    });

    it('does not hand out what the request has tried already', async () => {
      await put(credential('user', { kind: 'user' }), credential('guest'));
      expect(await idOf(leaseNow({ exclude: new Set(['user']) }))).toBe('guest');
      await expect(leaseNow({ exclude: new Set(['user', 'guest']) })).rejects.toEqual(refusal('no_capacity'));
    });

    it('hands out only the kinds that will do, and says why not', async () => {
      const users = new Set(['user'] as const);
      await put(credential('guest'));
      await expect(leaseNow({ kinds: users })).rejects.toEqual(refusal('no_capacity'));
      await put(credential('user', { kind: 'user' }));
      const user = await leaseNow({ kinds: users });
      expect(user.credential.id).toBe('user');
      expect(await idOf(leaseNow({ kinds: new Set(['guest']) }))).toBe('guest');
      await user.release({ result: 'challenged', coolDownMs: 300_000 });
      await expect(within(scene.store.lease(request({ kinds: users })), 'the refusal')).rejects.toEqual(
        refusal('upstream_challenged'),
      );
    });

    it('never exceeds a credential’s limit, whoever asks', async () => {
      await put(credential('a', { concurrency: 2 }), credential('b', { concurrency: 3 }));
      const running = new Map<string, number>();
      let most = 0;
      const turns = Array.from({ length: 40 }, async () => {
        const lease = await scene.store.lease(request());
        const { id, concurrency } = lease.credential;
        const busy = (running.get(id) ?? 0) + 1;
        running.set(id, busy);
        most = Math.max(most, busy - concurrency);
        await new Promise((resolve) => setImmediate(resolve));
        running.set(id, (running.get(id) ?? 1) - 1);
        await lease.release({ result: 'good' });
      });
      await within(Promise.all(turns), 'all turns');
      expect(most).toBe(0);
      expect(await scene.store.counts()).toMatchObject({ guest: { ready: 2, leased: 0 }, waiting: 0 });
    });
  });
}
