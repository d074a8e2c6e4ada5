import { describe, expect, it } from '@jest/globals';
import { mapWithConcurrency } from './map-with-concurrency.ts';

describe('mapWithConcurrency', () => {
  it('keeps the order and the limit', async () => {
    let running = 0;
    let most = 0;
    const results = await mapWithConcurrency(['a', 'b', 'c', 'd', 'e', 'f', 'g'], 3, async (letter, index) => {
      running += 1;
      most = Math.max(most, running);
      // Later ones are done sooner.
      for (let turn = 0; turn < 10 - index; turn += 1) await Promise.resolve();
      running -= 1;
      return `${index}${letter}`;
    });
    expect([results, most]).toEqual([['0a', '1b', '2c', '3d', '4e', '5f', '6g'], 3]);
  });

  it('begins nothing after a failure', async () => {
    const begun: number[] = [];
    const work = mapWithConcurrency([0, 1, 2, 3, 4, 5], 2, async (item) => {
      begun.push(item);
      await Promise.resolve();
      if (item === 1) throw new Error('one');
      await new Promise((resolve) => setImmediate(resolve));
      return item;
    });
    await expect(work).rejects.toThrow('one');
    await new Promise((resolve) => setImmediate(resolve));
    expect(begun).toEqual([0, 1]);
  });

  it('takes an empty list', async () => expect(await mapWithConcurrency([], 4, () => Promise.resolve(1))).toEqual([]));
});
