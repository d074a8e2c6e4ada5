import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createBackOff } from './back-off.ts';
import type { SupplyFault, SupplyFaultState } from './supply-fault.ts';

const fault = (state: SupplyFaultState, retryAfterMs?: number): SupplyFault => ({
  state,
  reason: '',
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
});

describe('createBackOff', () => {
  it('doubles up to its longest wait and starts again after a success', () => {
    const backOff = createBackOff({ random: () => 0 });
    const next = (): number => backOff.next(fault('unreachable'));
    expect([next(), next(), next(), next(), next(), next(), next()]).toEqual(
      [1, 2, 4, 8, 16, 30, 30].map((s) => s * 1000),
    );
    backOff.reset();
    expect(next()).toBe(1_000);
  });

  it('waits at least as long as the upstream asks, but not for ever', () => {
    const backOff = createBackOff({ random: () => 0 });
    expect(backOff.next(fault('rate-limited', 45_000))).toBe(45_000);
    expect(backOff.next(fault('rate-limited', 1_000))).toBe(20_000);
    expect(backOff.next(fault('rate-limited', 1e12))).toBe(3_600_000);
  });

  it('adds at most a quarter, and only adds', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(40), (random, failures) => {
        const [plain, jittered] = [() => 0, () => random].map((each) => createBackOff({ random: each }));
        for (let count = 0; count <= failures; count++) {
          const base = plain?.next(fault('blocked')) ?? 0;
          const wait = jittered?.next(fault('blocked')) ?? 0;
          expect(wait).toBeGreaterThanOrEqual(base);
          expect(wait).toBeLessThanOrEqual(Math.ceil(base * 1.25));
        }
      }),
    );
  });
});
