import { describe, expect, it } from '@jest/globals';
import type { BadPoolState } from '../pool-state.ts';
import { within, type StoreScene } from './store-scene.conformance.ts';

/** What is said while there are none to be had, and to whom. */
export function describeSupply(scene: StoreScene): void {
  const { credential, put, request, leaseNow, idOf, leaseInLine, refusal } = scene;

  describe('a bad supply', () => {
    const expected = {
      challenged: 'upstream_challenged',
      blocked: 'upstream_blocked',
      'rate-limited': 'upstream_busy',
      refused: 'upstream_forbidden',
      unreachable: 'upstream_unreachable',
      failing: 'upstream_failed',
      drifted: 'upstream_drifted',
      unsupplied: 'no_capacity',
    } as const satisfies Record<BadPoolState, string>;
    const become = (state: BadPoolState, forMs = 90_000): Promise<void> =>
      scene.store.setPoolState({ state, untilMs: scene.subject.now() + forMs, reason: 'as the test says' });

    it.each(Object.entries(expected) as [BadPoolState, string][])(
      'answers an empty pool that is %s with %s at once',
      async (state, code) => {
        await become(state);
        await expect(within(scene.store.lease(request()), 'the refusal')).rejects.toMatchObject({
          code,
          details: { retryAfterSeconds: 90 },
        });
        expect(await scene.store.poolState()).toEqual({
          state,
          untilMs: scene.subject.now() + 90_000,
          reason: 'as the test says',
        });
      },
    );

    it('tells those who wait already', async () => {
      const first = await leaseInLine();
      const second = await leaseInLine();
      await become('blocked');
      await expect(within(first.lease, 'the refusal')).rejects.toEqual(refusal('upstream_blocked'));
      await expect(within(second.lease, 'the refusal')).rejects.toEqual(refusal('upstream_blocked'));
      expect((await scene.store.counts()).waiting).toBe(0);
    });

    it('still leases what is there, and waits for what comes back', async () => {
      await put(credential('a'));
      await become('challenged');
      const held = await leaseNow();
      const { lease } = await leaseInLine();
      await held.release({ result: 'busy', coolDownMs: 2_000 });
      expect((await scene.store.counts()).waiting).toBe(1);
      await scene.subject.advance(2_000);
      expect(await idOf(lease)).toBe('a');
    });

    it('tells those who wait when the last credential dies', async () => {
      await put(credential('a'));
      await become('unreachable');
      const held = await leaseNow();
      const { lease } = await leaseInLine();
      await held.release({ result: 'dead' });
      await expect(within(lease, 'the refusal')).rejects.toEqual(refusal('upstream_unreachable'));
    });

    it('does not wait for a cool-down longer than the wait', async () => {
      await put(credential('a'));
      await become('blocked');
      await (await leaseNow()).release({ result: 'busy', coolDownMs: 61_000 });
      await expect(within(scene.store.lease(request({ waitMs: 60_000 })), 'the refusal')).rejects.toEqual(
        refusal('upstream_blocked'),
      );
    });

    it('waits again once the next try is due, or the state is good', async () => {
      await become('blocked', 1_000);
      await scene.subject.advance(1_000);
      const { lease } = await leaseInLine();
      await scene.store.setPoolState({ state: 'ok' });
      expect(await scene.store.poolState()).toEqual({ state: 'ok' });
      expect((await scene.store.counts()).waiting).toBe(1);
      await put(credential('a'));
      expect(await idOf(lease)).toBe('a');
    });
  });

  describe('demand', () => {
    const nextDemand = (): { demand: Promise<void>; stop: () => void } => {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      return { demand: promise, stop: scene.store.onDemand(() => resolve(undefined)) };
    };

    it('is announced when a lease has to wait', async () => {
      const { demand } = nextDemand();
      await leaseInLine();
      await within(demand, 'the demand');
    });

    it('is announced when a credential is removed or dies', async () => {
      await put(credential('a'), credential('b'));
      const removal = nextDemand();
      await scene.store.remove('a');
      await within(removal.demand, 'the demand');
      const death = nextDemand();
      await (await leaseNow()).release({ result: 'dead' });
      await within(death.demand, 'the demand');
    });

    it('is not announced to those who no longer listen', async () => {
      let calls = 0;
      const stop = scene.store.onDemand(() => calls++);
      const { demand } = nextDemand();
      stop();
      await leaseInLine();
      await within(demand, 'the demand of the other listener');
      expect(calls).toBe(0);
    });
  });
}
