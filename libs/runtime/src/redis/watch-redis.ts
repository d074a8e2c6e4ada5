import { Gauge, type Registry } from 'prom-client';
import type { Runtime } from '../create-runtime.ts';
import { closeRedis } from './close-redis.ts';
import { nameRedisFault } from './name-redis-fault.ts';
import { openRedis } from './open-redis.ts';
import type { RedisClient } from './redis-client.ts';
import type { RedisSettings } from './redis-settings.ts';

/** How often Redis is asked whether it is there. */
const INTERVAL_MS = 1_000;
/** Anything else lets Redis forget leases and jobs when its memory is full. */
const WANTED_POLICY = 'noeviction';

/** Whether Redis answers, for every process that uses one. */
export function createRedisGauge(registry: Registry): Gauge {
  return new Gauge({ name: 'zai_redis_reachable', help: '1 while Redis answers, else 0.', registers: [registry] });
}

/**
 * Tells how Redis is: in the readiness details (`redis`), by the metric `zai_redis_reachable`, and in the log once per change. It has a
 * connection of its own, and decides nothing: neither liveness nor readiness depends on Redis, because a pod that is taken out for an outage
 * that all of them see helps nobody. Also warns of a `maxmemory-policy` that is not `noeviction`. Ends with the runtime's stop.
 */
export function watchRedis(
  settings: RedisSettings,
  runtime: Pick<Runtime, 'logger' | 'registry' | 'addReadinessDetail' | 'onStop'>,
): void {
  const { logger, registry } = runtime;
  const client = openRedis(settings, { logger, role: 'health' });
  const reachable = createRedisGauge(registry);
  const stopped = new AbortController();
  let state: 'unknown' | 'reachable' | { readonly sinceMs: number } = 'unknown';
  let policy: string | undefined;
  let timer: NodeJS.Timeout | undefined;

  function enter(fault: string | undefined): void {
    reachable.set(fault === undefined ? 1 : 0);
    if (fault === undefined) {
      if (state === 'reachable') return;
      if (state !== 'unknown') logger.info({ downMs: Date.now() - state.sinceMs }, 'redis is reachable again');
      state = 'reachable';
      void checkPolicy();
    } else if (typeof state !== 'object') {
      state = { sinceMs: Date.now() };
      logger.warn({ reason: fault }, 'redis is unreachable');
    }
  }

  async function checkPolicy(): Promise<void> {
    const found = await readPolicy(client).catch(() => undefined);
    if (found === policy) return;
    policy = found;
    if (policy !== undefined && policy !== WANTED_POLICY) {
      logger.warn({ policy, wanted: WANTED_POLICY }, 'redis may drop keys when its memory is full');
    }
  }

  async function look(): Promise<void> {
    try {
      await client.ping();
      enter(undefined);
    } catch (error) {
      if (!stopped.signal.aborted) enter(nameRedisFault(error));
    }
    if (!stopped.signal.aborted) timer = setTimeout(() => void look(), INTERVAL_MS).unref();
  }

  function detail(): string {
    if (state === 'unknown') return 'not reached yet';
    if (state !== 'reachable') return `unreachable since ${new Date(state.sinceMs).toISOString()}`;
    return policy === undefined || policy === WANTED_POLICY
      ? 'reachable'
      : `reachable, but its maxmemory-policy is ${policy} instead of ${WANTED_POLICY}`;
  }

  client.once('ready', () => {
    clearTimeout(timer);
    void look();
  });
  timer = setTimeout(() => void look(), settings.REDIS_COMMAND_TIMEOUT * 1000).unref();
  runtime.addReadinessDetail('redis', detail);
  runtime.onStop('stores', 'redis health', async (deadline) => {
    stopped.abort();
    clearTimeout(timer);
    await closeRedis(client, deadline);
  });
}

/** By INFO, because managed servers refuse CONFIG. */
async function readPolicy(client: RedisClient): Promise<string | undefined> {
  return /^maxmemory_policy:(\S+)/m.exec(await client.info('memory'))?.[1];
}
