import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  closeRedis,
  createLogger,
  openRedis,
  type RedisClient,
  type RedisRole,
  type RedisSettings,
} from '@zai2api/runtime';
import { createBullmqSchedule, type RefillSchedule } from '@zai2api/token-refresher';
import {
  createManualTicks,
  describeRefillSchedule,
  type ManualTicks,
} from '../../services/token-refresher/src/refill-schedule.conformance.ts';
import { startRedisCluster } from '../support/start-redis-cluster.ts';
import { startRedisSentinels } from '../support/start-redis-sentinels.ts';
import { startRedis, type RedisServer } from '../support/start-redis.ts';
import { waitFor } from '../support/wait-for.ts';

const LONG_MS = 60_000;
/** Short, so that a test lives to see it run out. */
const LOCK_MS = 600;
const WITHIN_MS = 10_000;
/** Deciding on a failover, the reconnects, and the longest time that BullMQ waits on a connection that hangs. */
const FAILOVER_MS = 60_000;

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.close());

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** What a refill does: it asks the store a few times, which gives another one the time to begin beside it. */
async function work(commands: RedisClient): Promise<void> {
  for (let asked = 0; asked < 10; asked++) await commands.time().catch(() => undefined);
}

type LogLine = Readonly<Record<string, unknown>>;

interface Replica {
  readonly schedule: RefillSchedule;
  readonly commands: RedisClient;
  readonly prefix: string;
  readonly lines: readonly LogLine[];
  readonly close: () => Promise<void>;
}

function openReplica(options: {
  prefix: string;
  intervalMs?: number;
  minGapMs?: number;
  settings?: RedisSettings;
}): Replica {
  const lines: LogLine[] = [];
  const logger = createLogger(
    { name: 'test', level: 'debug', format: 'json' },
    { write: (line: string) => void lines.push(JSON.parse(line) as LogLine) },
  );
  const settings = options.settings ?? redis.settings;
  const open = (role: RedisRole): RedisClient => openRedis(settings, { logger, role });
  const commands = open('commands');
  const blocking = open('blocking');
  const schedule = createBullmqSchedule({
    commands,
    blocking,
    intervalMs: LONG_MS,
    minGapMs: 1,
    lockMs: LOCK_MS,
    logger,
    ...options,
  });
  return {
    schedule,
    commands,
    prefix: options.prefix,
    lines,
    async close() {
      await Promise.all([commands, blocking].map((client) => closeRedis(client, AbortSignal.timeout(1_000))));
    },
  };
}

/** The first tick is ended by the test, later ones end by themselves. */
function onlyFirst(ticks: ManualTicks): ManualTicks['tick'] {
  let calls = 0;
  return (signal) => (calls++ === 0 ? ticks.tick(signal) : Promise.resolve({}));
}

/** Several replicas that share a queue; stopped and closed after the test. */
function openReplicas(
  count: number,
  options: { intervalMs?: number; minGapMs?: number; settings?: RedisSettings } = {},
): Replica[] {
  const prefix = `test-${randomUUID()}`;
  const replicas = Array.from({ length: count }, () => openReplica({ prefix, ...options }));
  for (const { schedule, close } of replicas) {
    closers.push(async () => {
      await schedule.stop();
      await close();
    });
  }
  return replicas;
}

describeRefillSchedule('createBullmqSchedule', (options) => {
  const { schedule, close } = openReplica({ prefix: `test-${randomUUID()}`, ...options });
  return Promise.resolve({ schedule, close });
});

describe('createBullmqSchedule', () => {
  it('keeps all its keys together in a Cluster', async () => {
    const cluster = await startRedisCluster();
    closers.push(() => cluster.close());
    const ticks = createManualTicks();
    const [one, other] = openReplicas(2, { settings: cluster.settings });
    one!.schedule.start(ticks.tick);
    (await ticks.next()).end({ nextInMs: 5 });
    (await ticks.next()).end();
    let othersTicks = 0;
    await one!.schedule.stop();
    other!.schedule.start(() => Promise.resolve(othersTicks++).then(() => ({})));
    await waitFor(() => othersTicks > 0, { withinMs: WITHIN_MS });
  });

  it('ticks in one of several replicas at a time, whoever asks and however often', async () => {
    const replicas = openReplicas(4, { intervalMs: 20 });
    let running = 0;
    let mostAtOnce = 0;
    const ticksOf = replicas.map(() => 0);
    replicas.forEach(({ schedule, commands }, index) =>
      schedule.start(async () => {
        ticksOf[index]!++;
        mostAtOnce = Math.max(mostAtOnce, ++running);
        await work(commands);
        running--;
        return {};
      }),
    );
    let turn = 0;
    const demand = setInterval(() => {
      const count = turn++ % 10 === 0 ? 50 : 1;
      for (let sent = 0; sent < count; sent++) replicas[turn % replicas.length]!.schedule.requestTick();
    }, 10);
    const total = (): number => ticksOf.reduce((sum, count) => sum + count, 0);
    await waitFor(() => total() > 150, { withinMs: WITHIN_MS }).finally(() => clearInterval(demand));
    expect(mostAtOnce).toBe(1);
    expect(ticksOf.filter((count) => count > 0).length).toBeGreaterThan(1);
    await Promise.all(replicas.map(({ schedule }) => schedule.stop()));
    // What stays in Redis is bounded.
    const [first] = replicas;
    expect((await first!.commands.keys(`{${first!.prefix}:*`)).length).toBeLessThan(25);
    const jobs = await first!.commands.keys(`{${first!.prefix}:refresher}:refill:[0-9]*`);
    for (const key of jobs) expect(await first!.commands.hget(key, 'data')).toBe('{}');
  });

  it('ticks soon, in any replica, when one asks', async () => {
    const replicas = openReplicas(3);
    let count = 0;
    for (const { schedule } of replicas) schedule.start(() => Promise.resolve(count++).then(() => ({})));
    await waitFor(() => count > 0, { withinMs: WITHIN_MS });
    for (let round = 0; round < 20; round++) {
      const before = count;
      replicas[round % replicas.length]!.schedule.requestTick();
      await waitFor(() => count > before, { withinMs: 1_000 });
    }
  });

  it('takes the tick over when a lock is lost, and breaks it off where it ran', async () => {
    const lost = createManualTicks();
    const taken = Promise.withResolvers<undefined>();
    const [one, other] = openReplicas(2);
    one!.schedule.start(onlyFirst(lost));
    const tick = await lost.next();
    other!.schedule.start(() => {
      taken.resolve(undefined);
      return Promise.resolve({});
    });
    const breakLock = setInterval(() => {
      void other!.commands
        .keys(`{${one!.prefix}:*:lock`)
        .then((keys) => (keys.length > 0 ? other!.commands.del(keys) : 0));
    }, 5);
    await waitFor(() => tick.signal.aborted, { withinMs: WITHIN_MS }).finally(() => clearInterval(breakLock));
    await taken.promise;
    tick.fail(new Error('aborted'));
    await waitFor(() => one!.lines.some(({ msg }) => String(msg).includes('its lock could not be renewed')), {
      withinMs: WITHIN_MS,
    });
  });

  it('keeps the lock of a long tick', async () => {
    const ticks = createManualTicks();
    const [one, other] = openReplicas(2);
    let othersTicks = 0;
    one!.schedule.start(onlyFirst(ticks));
    const tick = await ticks.next();
    other!.schedule.start(() => Promise.resolve(othersTicks++).then(() => ({})));
    await new Promise((resolve) => setTimeout(resolve, 4 * LOCK_MS));
    expect([othersTicks, tick.signal.aborted]).toEqual([0, false]);
    tick.end();
    // Whichever replica is quicker takes the next one.
    await waitFor(
      () => {
        other!.schedule.requestTick();
        return othersTicks > 0;
      },
      { withinMs: WITHIN_MS },
    );
  });

  it('hands a broken-off tick over when it stops', async () => {
    const ticks = createManualTicks();
    const taken = Promise.withResolvers<undefined>();
    const [one, other] = openReplicas(2);
    one!.schedule.start(onlyFirst(ticks));
    const tick = await ticks.next();
    const stopping = one!.schedule.stop();
    other!.schedule.start(() => {
      taken.resolve(undefined);
      return Promise.resolve({});
    });
    const stoppedAtMs = performance.now();
    tick.end();
    await stopping;
    expect(performance.now() - stoppedAtMs).toBeLessThan(3_000);
    await taken.promise;
    expect(performance.now() - stoppedAtMs).toBeLessThan(4_000);
  });

  it('replaces a schedule of another interval', async () => {
    const prefix = `test-${randomUUID()}`;
    const ticks = createManualTicks();
    const slow = openReplica({ prefix, intervalMs: LONG_MS });
    slow.schedule.start(ticks.tick);
    (await ticks.next()).end();
    await slow.schedule.stop();
    await slow.close();
    const fast = openReplica({ prefix, intervalMs: 30 });
    closers.push(fast.close, () => fast.schedule.stop());
    fast.schedule.start(ticks.tick);
    for (let count = 0; count < 4; count++) (await ticks.next()).end();
  });

  it('stops at once while it is idle', async () => {
    const ticks = createManualTicks();
    const [one] = openReplicas(1);
    one!.schedule.start(ticks.tick);
    (await ticks.next()).end();
    const atMs = performance.now();
    await one!.schedule.stop();
    expect(performance.now() - atMs).toBeLessThan(3_000);
  });

  describe('when Redis fails', () => {
    it('goes on after a restart with nothing in it', async () => {
      const own = await startRedis({ isOwn: true });
      closers.push(() => own.close());
      const replicas = openReplicas(2, { settings: own.settings, intervalMs: 200 });
      let count = 0;
      for (const { schedule } of replicas) schedule.start(() => Promise.resolve(count++).then(() => ({})));
      await waitFor(() => count > 2, { withinMs: WITHIN_MS });
      await own.kill();
      const before = count;
      await own.restart();
      await waitFor(() => count > before + 2, { withinMs: WITHIN_MS });
      for (const { lines } of replicas) {
        // Once per outage, however often BullMQ says so.
        expect(lines.filter(({ msg }) => msg === 'the refill queue is in trouble').length).toBeLessThan(3);
      }
    });

    it.each(['killed', 'frozen'] as const)(
      'goes on after a failover from a primary that is %s, one tick at a time',
      async (how) => {
        const sentinels = await startRedisSentinels({ env: { REDIS_COMMAND_TIMEOUT: '0.5' } });
        closers.push(() => sentinels.close());
        const replicas = openReplicas(2, { settings: sentinels.settings, intervalMs: 200 });
        let [count, running, mostAtOnce] = [0, 0, 0];
        for (const { schedule, commands } of replicas) {
          schedule.start(async () => {
            mostAtOnce = Math.max(mostAtOnce, ++running);
            await work(commands);
            [count, running] = [count + 1, running - 1];
            return {};
          });
        }
        await waitFor(() => count > 2, { withinMs: WITHIN_MS });
        if (how === 'killed') await sentinels.primary.kill();
        else await sentinels.primary.freeze();
        const before = count;
        await waitFor(() => count > before + 5, { withinMs: FAILOVER_MS, what: 'ticks on the new primary' });
        expect(mostAtOnce).toBe(1);
      },
      2 * FAILOVER_MS,
    );

    it(
      'goes on after a failover in a Cluster',
      async () => {
        const cluster = await startRedisCluster({ env: { REDIS_COMMAND_TIMEOUT: '0.5' }, hasReplicas: true });
        closers.push(() => cluster.close());
        const replicas = openReplicas(2, { settings: cluster.settings, intervalMs: 200 });
        let count = 0;
        for (const { schedule } of replicas) schedule.start(() => Promise.resolve(count++).then(() => ({})));
        await waitFor(() => count > 2, { withinMs: WITHIN_MS });
        const owner = await cluster.ownerOf(`{${replicas[0]!.prefix}:refresher}:refill:meta`);
        await owner.kill();
        const before = count;
        await waitFor(() => count > before + 5, { withinMs: FAILOVER_MS, what: 'ticks on the new primary' });
      },
      2 * FAILOVER_MS,
    );

    it('stops in time while Redis does not answer', async () => {
      const own = await startRedis({ isOwn: true });
      closers.push(() => own.close());
      const [one] = openReplicas(1, { settings: own.settings });
      let count = 0;
      one!.schedule.start(() => Promise.resolve(count++).then(() => ({})));
      await waitFor(() => count > 0, { withinMs: WITHIN_MS });
      await own.freeze();
      one!.schedule.requestTick();
      const atMs = performance.now();
      await one!.schedule.stop();
      expect(performance.now() - atMs).toBeLessThan(5_000);
      await own.resume();
    });
  });
});
