import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { KindCounts, PoolCounts } from './credential-store.ts';
import type { BadPoolState, PoolState } from './pool-state.ts';
import { refillPool, type RefillTargets } from './refill-pool.ts';

const none: KindCounts = { ready: 0, leased: 0, coolingDown: 0, challenged: 0, total: 0, expired: 0 };
const withGuests = (total: number): PoolCounts => ({ guest: { ...none, ready: total, total }, user: none, waiting: 0 });
const nowMs = 1_760_000_000_000;
const targets = (overrides: Partial<RefillTargets> = {}): RefillTargets => ({
  guests: 3,
  nowMs,
  poolState: { state: 'ok' },
  recentMintsMs: [],
  mintsPerHour: 120,
  burst: 3,
  burstWindowMs: 5_000,
  ...overrides,
});
const bad = (untilMs: number, state: BadPoolState = 'blocked'): PoolState => ({ state, untilMs, reason: '' });

describe('refillPool', () => {
  it('fills an empty pool at once, up to the burst', () => {
    expect(refillPool(withGuests(0), targets())).toEqual({ mint: 3 });
    expect(refillPool(withGuests(0), targets({ guests: 5 }))).toEqual({ mint: 3, nextMintAtMs: nowMs + 5_000 });
  });

  it('goes on at the pace', () => {
    const recentMintsMs = [nowMs - 4_000, nowMs - 2_000, nowMs - 1_000];
    expect(refillPool(withGuests(3), targets({ guests: 5, recentMintsMs }))).toEqual({
      mint: 0,
      nextMintAtMs: nowMs + 1_000,
    });
    expect(refillPool(withGuests(3), targets({ guests: 5, recentMintsMs: recentMintsMs.slice(1) }))).toMatchObject({
      mint: 1,
    });
  });

  it('stops at the hourly cap until the oldest mint is an hour old', () => {
    const recentMintsMs = [nowMs - 3_599_000, nowMs - 60_000];
    expect(refillPool(withGuests(0), targets({ mintsPerHour: 2, recentMintsMs }))).toEqual({
      mint: 0,
      nextMintAtMs: nowMs + 1_000,
    });
    expect(refillPool(withGuests(0), targets({ mintsPerHour: 0 }))).toEqual({ mint: 0 });
  });

  it('mints nothing while the state is bad, and one guest as a probe after it', () => {
    expect(refillPool(withGuests(0), targets({ poolState: bad(nowMs + 1) }))).toEqual({
      mint: 0,
      nextMintAtMs: nowMs + 1,
    });
    expect(refillPool(withGuests(0), targets({ poolState: bad(nowMs) }))).toMatchObject({ mint: 1 });
    expect(
      refillPool(withGuests(0), targets({ poolState: bad(nowMs), recentMintsMs: [nowMs, nowMs, nowMs] })),
    ).toMatchObject({
      mint: 1,
    });
    expect(
      refillPool(withGuests(0), targets({ poolState: bad(nowMs), mintsPerHour: 1, recentMintsMs: [nowMs] })),
    ).toEqual({
      mint: 0,
      nextMintAtMs: nowMs + 3_600_000,
    });
  });

  it('does not replace guests that are challenged or resting', () => {
    const counts: PoolCounts = { guest: { ...none, challenged: 2, coolingDown: 1, total: 3 }, user: none, waiting: 9 };
    expect(refillPool(counts, targets())).toEqual({ mint: 0 });
  });

  const anyTargets = fc.record<RefillTargets>({
    guests: fc.nat(20),
    nowMs: fc.constant(nowMs),
    poolState: fc.oneof(
      fc.constant<PoolState>({ state: 'ok' }),
      fc.integer({ min: -5_000, max: 5_000 }).map((offset) => bad(nowMs + offset)),
    ),
    recentMintsMs: fc.array(fc.integer({ min: nowMs - 4_000_000, max: nowMs })),
    mintsPerHour: fc.nat(30),
    burst: fc.nat(5),
    burstWindowMs: fc.integer({ min: 1, max: 60_000 }),
  });

  it('never mints above the target, above a cap, or while the state is bad', () => {
    fc.assert(
      fc.property(fc.nat(25), anyTargets, (total, given) => {
        const { mint, nextMintAtMs } = refillPool(withGuests(total), given);
        const within = (ms: number): number => given.recentMintsMs.filter((atMs) => atMs > nowMs - ms).length;
        expect(Number.isInteger(mint) && mint >= 0).toBe(true);
        if (mint > 0) {
          expect(total + mint).toBeLessThanOrEqual(given.guests);
          expect(within(3_600_000) + mint).toBeLessThanOrEqual(given.mintsPerHour);
          if (given.poolState.state === 'ok')
            expect(within(given.burstWindowMs) + mint).toBeLessThanOrEqual(given.burst);
          else expect(mint).toBe(1);
          expect(given.poolState.state === 'ok' || given.poolState.untilMs <= nowMs).toBe(true);
        }
        if (nextMintAtMs !== undefined) expect(nextMintAtMs).toBeGreaterThanOrEqual(nowMs);
      }),
    );
  });

  it('reaches the target by following its own plan, and keeps every window on the way', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 20 }),
        (guests, burst, mintsPerHour) => {
          const mintsMs: number[] = [];
          let clockMs = nowMs;
          while (mintsMs.length < guests) {
            const plan = refillPool(
              withGuests(mintsMs.length),
              targets({ guests, burst, mintsPerHour, nowMs: clockMs, recentMintsMs: mintsMs }),
            );
            mintsMs.push(...Array<number>(plan.mint).fill(clockMs));
            if (mintsMs.length === guests) break;
            if (plan.nextMintAtMs === undefined) throw new Error('the plan gave up');
            if (plan.nextMintAtMs <= clockMs) throw new Error('the plan does not move on');
            clockMs = plan.nextMintAtMs;
          }
          for (const [most, withinMs] of [[burst, 5_000] as const, [mintsPerHour, 3_600_000] as const]) {
            for (const atMs of mintsMs)
              expect(
                mintsMs.filter((otherMs) => otherMs > atMs - withinMs && otherMs <= atMs).length,
              ).toBeLessThanOrEqual(most);
          }
        },
      ),
    );
  });
});
