import type { BadPoolState, PoolCounts, PoolState } from '@zai2api/credentials';
import type { UpstreamState } from './judge-tries.ts';

/** The supply of credentials as the store told it last. */
export interface Supply {
  readonly poolState: PoolState;
  readonly counts: PoolCounts;
}

/** What a bad supply means for an upstream that nothing can be asked of without it. */
const stateBySupply: Record<BadPoolState, UpstreamState> = {
  challenged: 'challenged',
  blocked: 'blocked',
  drifted: 'drifted',
  'rate-limited': 'degraded',
  refused: 'degraded',
  unreachable: 'degraded',
  failing: 'degraded',
  unsupplied: 'degraded',
};

/**
 * The state of an upstream from its tries and its supply. A bad supply is the upstream's state when no credential is left to try with;
 * while some are, it only keeps an upstream that seems well from being `ok`.
 */
export function judgeSupply(byTries: UpstreamState, supply: Supply | undefined): UpstreamState {
  if (supply === undefined || supply.poolState.state === 'ok') return byTries;
  if (byTries !== 'unknown' && byTries !== 'ok' && byTries !== 'degraded') return byTries;
  return hasUsable(supply.counts) ? 'degraded' : stateBySupply[supply.poolState.state];
}

function hasUsable({ guest, user }: PoolCounts): boolean {
  return [guest, user].some(({ ready, leased, coolingDown }) => ready + leased + coolingDown > 0);
}
