import { describe, expect, it } from '@jest/globals';
import { within, type StoreScene } from './store-scene.conformance.ts';

/** What is left when the store is closed. */
export function describeClosing(scene: StoreScene): void {
  const { credential, put, leaseNow, leaseInLine, refusal } = scene;

  describe('closing', () => {
    it('refuses those who wait and those who come later, and takes late releases', async () => {
      await put(credential('a'));
      const held = await leaseNow();
      const { lease } = await leaseInLine();
      await scene.store.close();
      await expect(within(lease, 'the refusal')).rejects.toEqual(refusal('shutting_down'));
      await expect(leaseNow()).rejects.toEqual(refusal('shutting_down'));
      await held.release({ result: 'good' });
      await scene.store.close();
    });
  });
}
