import { setTimeout as wait } from 'node:timers/promises';
import type { OpenedStore } from '../support/open-redis-store.ts';
import type { RedisServer } from '../support/start-redis.ts';
import type { ServiceProcess } from '../support/start-process.ts';
import { between, pick } from './random.ts';
import type { TranslatorFleet } from './translator-fleet.ts';

/** Something that was done, in times of `performance.now()`. */
export interface Disturbing {
  readonly name: Disturbance;
  readonly fromMs: number;
  readonly toMs: number;
}

/** What was done. */
export interface Disturbances {
  readonly counts: Readonly<Record<Disturbance, number>>;
  readonly done: readonly Disturbing[];
  /** One after the other, at random, until the signal aborts; afterwards nothing is left that stands still by intent. */
  run(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

const disturbances = {
  'translator killed': 4,
  'translator frozen': 3,
  'translator frozen past its leases': 3,
  'redis connections dropped': 3,
  'redis paused': 2,
  'refresher killed': 1,
} as const;
export type Disturbance = keyof typeof disturbances;

const MIN_GAP_MS = 300;
const MAX_GAP_MS = 1_500;
const MAX_RESTART_MS = 2_000;
const MAX_PAUSE_MS = 2_000;

/** `leaseMs`: how long a lease holds; freezes are shorter or longer than it. At most a third of the translators are away at a time. */
export function createDisturbances(options: {
  fleet: TranslatorFleet;
  size: number;
  redis: RedisServer;
  observer: OpenedStore;
  startRefresher: () => ServiceProcess;
  leaseMs: number;
  random: () => number;
}): Disturbances {
  const { fleet, redis, observer, leaseMs, random } = options;
  const names = Object.keys(disturbances) as Disturbance[];
  const lots = names.flatMap((name) => Array<Disturbance>(disturbances[name]).fill(name));
  const counts = Object.fromEntries(names.map((name) => [name, 0])) as Record<Disturbance, number>;
  const done: Disturbing[] = [];
  let refresher = options.startRefresher();
  const killRefresher = (): void => refresher.kill('SIGKILL');
  process.once('exit', killRefresher);

  async function drop(): Promise<void> {
    // All of a kind, our own with them: those that ask, or those that listen.
    await observer.commands.call('CLIENT', 'KILL', 'TYPE', random() < 0.5 ? 'normal' : 'pubsub').catch(() => undefined);
  }

  async function pause(): Promise<void> {
    await redis.freeze();
    await wait(between(random, 200, Math.min(MAX_PAUSE_MS, leaseMs / 3)));
    await redis.resume();
  }

  async function disturb(name: Disturbance): Promise<void> {
    const serving = fleet.serving();
    const victim = serving.length > (options.size * 2) / 3 ? pick(random, serving) : undefined;
    if (name.startsWith('translator') && !victim) return;
    counts[name]++;
    switch (name) {
      case 'translator killed':
        fleet.replace(victim!, between(random, 0, MAX_RESTART_MS));
        break;
      case 'translator frozen':
        fleet.freeze(victim!, between(random, 100, leaseMs / 2));
        break;
      case 'translator frozen past its leases':
        fleet.freeze(victim!, between(random, leaseMs * 1.1, leaseMs * 2));
        break;
      case 'redis connections dropped':
        await drop();
        break;
      case 'redis paused':
        await pause();
        break;
      case 'refresher killed':
        await refresher.close();
        refresher = options.startRefresher();
    }
  }

  return {
    counts,
    done,
    async run(signal) {
      while (!signal.aborted) {
        const name = pick(random, lots)!;
        const fromMs = performance.now();
        await disturb(name);
        done.push({ name, fromMs, toMs: performance.now() });
        await wait(between(random, MIN_GAP_MS, MAX_GAP_MS), undefined, { signal }).catch(() => undefined);
      }
    },
    async close() {
      process.off('exit', killRefresher);
      await refresher.close();
    },
  };
}
