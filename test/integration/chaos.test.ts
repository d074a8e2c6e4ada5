import { expect, it, jest } from '@jest/globals';
import { runChaos } from '../chaos/run-chaos.ts';

/** Processes start in a second or two of a busy machine. */
jest.setTimeout(150_000);

it('translators that are killed, frozen and cut off never exceed a limit, lose no slot, and serve again at once', async () => {
  const report = await runChaos({ seconds: 14, translators: 4, guests: 3, leaseSeconds: 5, seed: 4 });
  expect(report.broken).toEqual([]);
});
