import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { backOffMs } from './back-off.ts';
import type { SupplyFault, SupplyFaultState } from './supply-fault.ts';

const fault = (state: SupplyFaultState, retryAfterMs?: number): SupplyFault => ({
  state,
  reason: '',
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
});
const noJitter = (): number => 0;

describe('backOffMs', () => {
  it('doubles up to its longest wait', () => {
    const waits = [0, 1, 2, 3, 4, 5, 6, 1_000].map((failures) => backOffMs(fault('unreachable'), failures, noJitter));
    expect(waits).toEqual([1, 2, 4, 8, 16, 30, 30, 30].map((seconds) => seconds * 1000));
  });

  it('waits at least as long as the upstream asks, but not for ever', () => {
    expect(backOffMs(fault('rate-limited', 45_000), 0, noJitter)).toBe(45_000);
    expect(backOffMs(fault('rate-limited', 1_000), 1, noJitter)).toBe(20_000);
    expect(backOffMs(fault('rate-limited', 1e12), 2, noJitter)).toBe(3_600_000);
  });

  it('adds at most a quarter, and only adds', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(40), (random, failures) => {
        const baseMs = backOffMs(fault('blocked'), failures, noJitter);
        const waitMs = backOffMs(fault('blocked'), failures, () => random);
        expect(waitMs).toBeGreaterThanOrEqual(baseMs);
        expect(waitMs).toBeLessThanOrEqual(Math.ceil(baseMs * 1.25));
      }),
    );
  });
});
