import type { Credential } from '@zai2api/credentials';
import { openRedisStore, type OpenedStore } from '../support/open-redis-store.ts';
import { startRedis } from '../support/start-redis.ts';
import { formatNumber, printTable } from './print-table.ts';
import { percentile } from './statistics.ts';

/** One pool and one load on it. Times in milliseconds. */
export interface LeaseFigures {
  readonly credentials: number;
  readonly turnsAtOnce: number;
  readonly leaseMs: readonly number[];
  readonly releaseMs: readonly number[];
  readonly turnsPerSecond: number;
  /** What Redis counted, per turn, without what its scripts did inside. */
  readonly commandsPerTurn: number;
}

const PODS = 3;
const loads = [
  { credentials: 3, turnsAtOnce: 1 },
  { credentials: 50, turnsAtOnce: 3 },
  { credentials: 1_000, turnsAtOnce: 1 },
  { credentials: 1_000, turnsAtOnce: 50 },
] as const;
const never = new AbortController().signal;

/** Leases and releases on a Redis of its own, from three processes' worth of stores, one load after the other. */
export async function measureLeases({ turns }: { readonly turns: number }): Promise<LeaseFigures[]> {
  const figures: LeaseFigures[] = [];
  for (const load of loads) {
    await using redis = await startRedis({ isOwn: true });
    const pods = await Promise.all(Array.from({ length: PODS }, () => openRedisStore(redis.settings)));
    try {
      await fill(pods, load.credentials);
      await runTurns(pods, { ...load, turns: turns / 10 });
      figures.push({ ...load, ...(await runTurns(pods, { ...load, turns })) });
    } finally {
      await Promise.all(pods.map((pod) => pod.close()));
    }
  }
  return figures;
}

async function fill([first]: readonly OpenedStore[], count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const id = `guest-${index}`;
    const identity: Credential = {
      id,
      kind: 'guest',
      token: id,
      userId: id,
      userName: id,
      createdAtMs: 0,
      expiresAtMs: Infinity,
      concurrency: 1,
    };
    await first?.store.put(identity);
  }
}

async function runTurns(
  pods: readonly OpenedStore[],
  { turnsAtOnce, turns }: { turnsAtOnce: number; turns: number },
): Promise<Omit<LeaseFigures, 'credentials' | 'turnsAtOnce'>> {
  const [leaseMs, releaseMs]: [number[], number[]] = [[], []];
  const commandsBefore = await countCommands(pods);
  const startedAtMs = performance.now();
  let begun = 0;
  const client = async (index: number): Promise<void> => {
    const { store } = pods[index % pods.length]!;
    while (begun++ < turns) {
      const askedAtMs = performance.now();
      const lease = await store.lease({ signal: never, waitMs: 10_000, leaseMs: 60_000 });
      const grantedAtMs = performance.now();
      await lease.release({ result: 'good' });
      releaseMs.push(performance.now() - grantedAtMs);
      leaseMs.push(grantedAtMs - askedAtMs);
    }
  };
  await Promise.all(Array.from({ length: turnsAtOnce }, (_, index) => client(index)));
  const elapsedMs = performance.now() - startedAtMs;
  const commands = (await countCommands(pods)) - commandsBefore;
  return {
    leaseMs,
    releaseMs,
    turnsPerSecond: (leaseMs.length / elapsedMs) * 1000,
    commandsPerTurn: commands / leaseMs.length,
  };
}

/** The scripts that were called: all that a store sends for a turn. */
async function countCommands([first]: readonly OpenedStore[]): Promise<number> {
  const stats = String(await first?.commands.info('commandstats'));
  const calls = ['evalsha', 'eval'].map((name) => new RegExp(`^cmdstat_${name}:calls=(\\d+)`, 'm').exec(stats)?.[1]);
  return calls.reduce((sum, count) => sum + Number(count ?? 0), 0);
}

/** Prints them as one table. */
export function printLeaseFigures(figures: readonly LeaseFigures[]): void {
  const both = (times: readonly number[]): string =>
    `${formatNumber(percentile(times, 0.5))} / ${formatNumber(percentile(times, 0.99))}`;
  printTable(
    ['leases: pool, turns at once', 'lease p50 / p99, ms', 'release p50 / p99, ms', 'turns/s', 'commands per turn'],
    figures.map(({ credentials, turnsAtOnce, leaseMs, releaseMs, turnsPerSecond, commandsPerTurn }) => [
      `  ${credentials}, ${turnsAtOnce}`,
      both(leaseMs),
      both(releaseMs),
      formatNumber(turnsPerSecond),
      formatNumber(commandsPerTurn),
    ]),
  );
}
