import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Credential, CredentialStore, LeaseRequest } from '@zai2api/credentials';
import { openRedisStore, type OpenedStore } from '../support/open-redis-store.ts';
import { startRedis, type RedisAccess, type RedisServer } from '../support/start-redis.ts';
import { startRedisCluster } from '../support/start-redis-cluster.ts';
import { startRedisSentinels } from '../support/start-redis-sentinels.ts';
import { waitFor } from '../support/wait-for.ts';

jest.setTimeout(60_000);

const TIMEOUT_MS = 300;
/** What a busy machine may add to a bound. */
const SLACK_MS = 2_000;
const WITHIN_MS = 10_000;
const never = new AbortController().signal;
const env = { REDIS_COMMAND_TIMEOUT: String(TIMEOUT_MS / 1000) };

const opened: OpenedStore[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.close()));
});

async function open({ settings }: RedisAccess): Promise<OpenedStore> {
  const each = await openRedisStore(settings);
  opened.push(each);
  return each;
}

const credential = (id: string, overrides: Partial<Credential> = {}): Credential => ({
  id,
  kind: 'user',
  token: `token-of-${id}`,
  userId: id,
  userName: id,
  createdAtMs: 0,
  expiresAtMs: Infinity,
  concurrency: 1,
  ...overrides,
});
const request = (overrides: Partial<LeaseRequest> = {}): LeaseRequest => ({
  signal: never,
  waitMs: 20_000,
  leaseMs: 60_000,
  ...overrides,
});
/** How long a refusal by an unreachable store took, in milliseconds. */
async function timeOfRefusal(store: CredentialStore): Promise<number> {
  const startedAtMs = performance.now();
  await expect(store.lease(request())).rejects.toMatchObject({
    code: 'no_capacity',
    details: { reason: 'store_unavailable', layer: 'pool', retryAfterSeconds: expect.any(Number) as unknown },
  });
  return performance.now() - startedAtMs;
}
/** As of a process that its machine does not let run: no timer, no answer is noticed meanwhile. */
const standStill = (ms: number): unknown => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
const untilServed = (store: CredentialStore): Promise<unknown> =>
  waitFor(() => store.counts(), { withinMs: WITHIN_MS, what: 'a store that answers' });
const countLines = ({ logText }: OpenedStore, message: string): number => logText().split(`"${message}"`).length - 1;

describe('a Redis that', () => {
  let redis: RedisServer;
  beforeEach(async () => {
    redis = await startRedis({ isOwn: true, env });
  });
  afterEach(() => redis.close());

  it('freezes: bounded waits, then refusals at once; leases survive, releases are delivered later', async () => {
    const one = await open(redis);
    const { store } = one;
    await store.put(credential('a', { concurrency: 2 }));
    const [kept, ended] = [await store.lease(request()), await store.lease(request())];
    const waiting = store.lease(request());
    waiting.catch(() => undefined);
    await waitFor(async () => (await store.counts()).waiting === 1, { withinMs: WITHIN_MS });

    await redis.freeze();
    expect(await timeOfRefusal(store)).toBeLessThan(TIMEOUT_MS + SLACK_MS);
    await expect(waiting).rejects.toMatchObject({ details: { reason: 'store_unavailable' } });
    const refusedAtMs = performance.now();
    for (let turn = 0; turn < 50; turn++) await timeOfRefusal(store);
    expect(performance.now() - refusedAtMs).toBeLessThan(10 * TIMEOUT_MS);
    const startedAtMs = performance.now();
    await expect(store.renew(kept, 60_000)).rejects.toMatchObject({ details: { reason: 'store_unavailable' } });
    await ended.release({ result: 'good' });
    await expect(store.counts()).rejects.toMatchObject({ details: { reason: 'store_unavailable' } });
    expect(performance.now() - startedAtMs).toBeLessThan(TIMEOUT_MS);

    await redis.resume();
    await untilServed(store);
    await waitFor(async () => (await store.counts()).user.ready === 1, { withinMs: WITHIN_MS });
    expect(await store.renew(kept, 60_000)).toBe(true);
    const next = await store.lease(request({ waitMs: 0 }));
    // What was asked for while it was frozen holds no slot: of two slots one is kept and one is the new lease's.
    await next.release({ result: 'good' });
    await kept.release({ result: 'good' });
    expect((await store.counts()).user).toMatchObject({ ready: 1, leased: 0 });
    expect(countLines(one, 'the credential store does not answer')).toBe(1);
    expect(countLines(one, 'the credential store answers again')).toBe(1);
  });

  it('answers while this process stands still: it is not to blame', async () => {
    const one = await open(redis);
    await one.store.put(credential('a', { concurrency: 3 }));
    for (const timeouts of [1.5, 5]) {
      const leasing = one.store.lease(request());
      // What is said is on its way when the microtasks are done; no answer is read before the next turn of the loop.
      await new Promise<void>((resolve) => process.nextTick(resolve));
      standStill(timeouts * TIMEOUT_MS);
      expect((await leasing).credential.id).toBe('a');
    }
    expect(countLines(one, 'the credential store does not answer')).toBe(0);
  });

  it('is killed and comes back empty: refusals in time, and a pool that can be filled again', async () => {
    const one = await open(redis);
    const { store } = one;
    await store.put(credential('a'));
    const before = await store.lease(request());
    await redis.kill();
    expect(await timeOfRefusal(store)).toBeLessThan(TIMEOUT_MS + SLACK_MS);
    expect(await timeOfRefusal(store)).toBeLessThan(TIMEOUT_MS);

    const { promise: demand, resolve } = Promise.withResolvers<undefined>();
    store.onDemand(() => resolve(undefined));
    await redis.restart();
    await untilServed(store);
    // The refresher hears that it is needed without anybody asking for a credential.
    await demand;
    expect((await store.counts()).user.total).toBe(0);
    const waiting = store.lease(request());
    await store.put(credential('b'));
    const after = await waiting;
    expect(after.credential.id).toBe('b');
    expect(after.fence).toBeGreaterThan(before.fence);
    await before.release({ result: 'dead' });
    await after.release({ result: 'good' });
    expect((await store.counts()).user).toMatchObject({ ready: 1, total: 1 });
  });

  it('freezes: what was asked for meanwhile, and is not waited for any more, takes no slot', async () => {
    const { store } = await open(redis);
    await store.put(credential('a'));
    const held = await store.lease(request({ leaseMs: 600 }));
    const startedAtMs = performance.now();
    await redis.freeze();
    await Promise.all(Array.from({ length: 20 }, () => timeOfRefusal(store)));
    // The lease passes its deadline meanwhile, and the requests of those who gave up are still in the buffers of Redis.
    await waitFor(() => performance.now() - startedAtMs > 900, { withinMs: WITHIN_MS });
    await redis.resume();
    await waitFor(() => store.renew(held, 60_000), { withinMs: WITHIN_MS, what: 'the slot that nobody else has' });
    expect((await store.counts()).user).toMatchObject({ leased: 1 });
  });

  it('freezes: the store closes in time', async () => {
    const { store } = await open(redis);
    await redis.freeze();
    const startedAtMs = performance.now();
    await store.close();
    expect(performance.now() - startedAtMs).toBeLessThan(TIMEOUT_MS + SLACK_MS);
    await redis.resume();
  });

  it('is not there at the start: nothing hangs, and service begins when it comes', async () => {
    await redis.kill();
    const opening = open(redis);
    await redis.restart();
    const { store } = await opening;
    await untilServed(store);
    await store.put(credential('a'));
    expect((await store.lease(request())).credential.id).toBe('a');
  });

  it('drops connections now and then: nobody notices', async () => {
    const { store, commands } = await open(redis);
    const killer = await open(redis);
    await store.put(credential('a', { concurrency: 5 }));
    let isOver = false;
    const turns = Array.from({ length: 5 }, async () => {
      let served = 0;
      while (!isOver) {
        const lease = await store.lease(request());
        served++;
        await lease.release({ result: 'good' });
      }
      return served;
    });
    for (let drop = 0; drop < 5; drop++) {
      const id = await commands.client('ID');
      await killer.commands.client('KILL', 'ID', id);
      await waitFor(async () => (await commands.client('ID')) !== id, { withinMs: WITHIN_MS });
    }
    isOver = true;
    for (const served of await Promise.all(turns)) expect(served).toBeGreaterThan(0);
    await waitFor(async () => (await store.counts()).user.ready === 1, { withinMs: WITHIN_MS });
    const all = await Promise.all(Array.from({ length: 5 }, () => store.lease(request({ waitMs: 0 }))));
    expect(new Set(all.map(({ fence }) => fence)).size).toBe(5);
  });
});

describe('a failover by Sentinel', () => {
  it.each(['killed', 'frozen'] as const)('of a primary that is %s loses no lease and heals by itself', async (how) => {
    await using redis = await startRedisSentinels({ env });
    const each = await openRedisStore(redis.settings);
    const { store, commands } = each;
    try {
      await store.put(credential('a', { concurrency: 2 }));
      const held = await store.lease(request());
      // Replication is asynchronous: only what has arrived survives.
      const isReplicated = async (): Promise<boolean> => (await commands.wait(1, TIMEOUT_MS / 2)) === 1;
      await waitFor(isReplicated, { withinMs: WITHIN_MS, what: 'the replica' });
      if (how === 'killed') await redis.primary.kill();
      else await redis.primary.freeze();
      expect(await timeOfRefusal(store)).toBeLessThan(TIMEOUT_MS + SLACK_MS);
      await waitFor(() => store.counts(), { withinMs: 20_000, what: 'the new primary' });
      expect(await store.renew(held, 60_000)).toBe(true);
      const other = await store.lease(request());
      expect(other.fence).toBeGreaterThan(held.fence);
      await expect(store.lease(request({ waitMs: 0 }))).rejects.toMatchObject({ code: 'no_capacity' });
      await Promise.all([held.release({ result: 'good' }), other.release({ result: 'good' })]);
      expect((await store.counts()).user).toMatchObject({ ready: 1, leased: 0 });
    } finally {
      await each.close();
    }
  });
});

describe('a failover in a Cluster', () => {
  it('to the replica of a killed primary loses no lease and heals by itself', async () => {
    await using redis = await startRedisCluster({ env, hasReplicas: true });
    const { store, commands } = await open(redis);
    await store.put(credential('a', { concurrency: 2 }));
    const held = await store.lease(request());
    const owner = await redis.ownerOf(`{${redis.settings.REDIS_KEY_PREFIX}:credentials}:meta`);
    const isReplicated = async (): Promise<boolean> => {
      const facts = await owner.cli('-p', String(owner.port), 'info', 'replication');
      const [, sent] = /master_repl_offset:(\d+)/.exec(facts) ?? [];
      return facts.includes(`state=online,offset=${sent ?? ''},`);
    };
    await waitFor(isReplicated, { withinMs: WITHIN_MS, what: 'the replica' });
    await owner.kill();
    // The nodes agree on the death after two seconds, and the replica is voted for after that.
    await waitFor(() => store.counts(), { withinMs: 30_000, what: 'the replica as a primary' });
    expect(await commands.exists(`{${redis.settings.REDIS_KEY_PREFIX}:credentials}:meta`)).toBe(1);
    expect(await store.renew(held, 60_000)).toBe(true);
    const other = await store.lease(request());
    expect(other.fence).toBeGreaterThan(held.fence);
    await expect(store.lease(request({ waitMs: 0 }))).rejects.toMatchObject({ code: 'no_capacity' });
    await Promise.all([held.release({ result: 'good' }), other.release({ result: 'good' })]);
    expect((await store.counts()).user).toMatchObject({ ready: 1, leased: 0 });
  });
});
