import type { PoolCounts } from './credential-store.ts';
import type { PoolState } from './pool-state.ts';

/** What the pool should hold, and how fast it may get there. All times are milliseconds since the epoch. */
export interface RefillTargets {
  /** Guests wanted; 0 when guests are off. */
  readonly guests: number;
  readonly nowMs: number;
  readonly poolState: PoolState;
  /** When guests were asked for lately, successful or not; entries older than an hour do not matter. */
  readonly recentMintsMs: readonly number[];
  readonly mintsPerHour: number;
  /** At most this many within `burstWindowMs`. */
  readonly burst: number;
  readonly burstWindowMs: number;
}

/** What to do for a pool now, and when to look again. */
export interface RefillPlan {
  /** Guests to ask for now. */
  readonly mint: number;
  /** When it is worth planning again because pace, cap or a bad state holds something back. */
  readonly nextMintAtMs?: number;
}

const HOUR_MS = 3_600_000;

/**
 * How many guests to mint: never above the target, never more than the caps, none while the pool state is bad, and a single one as a
 * probe when a bad state is over but nothing has succeeded since: its pace is the back-off of whoever sets the state. Challenged and resting guests count as held: replacing them would be
 * going round the upstream's limits.
 */
export function refillPool(counts: PoolCounts, targets: RefillTargets): RefillPlan {
  const { nowMs, poolState } = targets;
  const missing = Math.max(0, targets.guests - counts.guest.total);
  if (missing === 0) return { mint: 0 };
  const isBad = poolState.state !== 'ok';
  if (isBad && poolState.untilMs > nowMs) return { mint: 0, nextMintAtMs: poolState.untilMs };

  const cap = { most: targets.mintsPerHour, withinMs: HOUR_MS };
  const pace = { most: targets.burst, withinMs: targets.burstWindowMs };
  const limits = isBad ? [cap] : [cap, pace];
  const allowances = limits.map(
    ({ most, withinMs }) => most - mintsWithin(targets.recentMintsMs, nowMs, withinMs).length,
  );
  const mint = Math.max(0, Math.min(missing, isBad ? 1 : missing, ...allowances));
  if (mint === missing) return { mint };

  const afterMs = [...targets.recentMintsMs, ...Array<number>(mint).fill(nowMs)];
  const nextMintAtMs = Math.max(
    nowMs,
    ...limits.map(({ most, withinMs }) => freeAgainAt(mintsWithin(afterMs, nowMs, withinMs), most, withinMs)),
  );
  return nextMintAtMs === Infinity ? { mint } : { mint, nextMintAtMs };
}

const mintsWithin = (mintsMs: readonly number[], nowMs: number, withinMs: number): number[] =>
  mintsMs.filter((atMs) => atMs > nowMs - withinMs).sort((one, other) => one - other);

/** When a sliding window that holds these mints has room for one more. */
function freeAgainAt(mintsMs: readonly number[], most: number, withinMs: number): number {
  if (mintsMs.length < most) return -Infinity;
  const leaving = mintsMs[mintsMs.length - most];
  return leaving === undefined ? Infinity : leaving + withinMs;
}
