import { describe, expect, it } from '@jest/globals';
import type { BadPoolState, PoolCounts } from '@zai2api/credentials';
import { judgeSupply, type Supply } from './judge-supply.ts';
import type { UpstreamState } from './judge-tries.ts';

const none = { ready: 0, leased: 0, coolingDown: 0, challenged: 0, expired: 0, total: 0 };

function supply(state: BadPoolState, counts: Partial<PoolCounts['guest']> = {}): Supply {
  return {
    poolState: { state, untilMs: 1_000, reason: 'x' },
    counts: { guest: { ...none, ...counts }, user: none, waiting: 0 },
  };
}

describe('judgeSupply', () => {
  it('leaves the tries alone when nothing is known, or the supply is well', () => {
    const well: Supply = { poolState: { state: 'ok' }, counts: { guest: none, user: none, waiting: 0 } };
    for (const state of ['ok', 'unknown', 'degraded', 'challenged'] as const) {
      expect(judgeSupply(state, undefined)).toBe(state);
      expect(judgeSupply(state, well)).toBe(state);
    }
  });

  it.each<[BadPoolState, UpstreamState]>([
    ['challenged', 'challenged'],
    ['blocked', 'blocked'],
    ['drifted', 'drifted'],
    ['rate-limited', 'degraded'],
    ['refused', 'degraded'],
    ['unreachable', 'degraded'],
    ['failing', 'degraded'],
    ['unsupplied', 'degraded'],
  ])('without a usable credential, a supply that is %s makes it %s', (state, expected) => {
    for (const byTries of ['unknown', 'ok', 'degraded'] as const)
      expect(judgeSupply(byTries, supply(state, { challenged: 1, total: 1 }))).toBe(expected);
  });

  it('is degraded while credentials are left', () => {
    for (const counts of [{ ready: 1 }, { leased: 1 }, { coolingDown: 1 }])
      expect(judgeSupply('ok', supply('challenged', counts))).toBe('degraded');
  });

  it('never hides what a try was told', () => {
    for (const byTries of ['challenged', 'blocked', 'drifted'] as const)
      expect(judgeSupply(byTries, supply('unreachable'))).toBe(byTries);
  });
});
