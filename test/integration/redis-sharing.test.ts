import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Credential, CredentialStore, Lease, LeaseRequest } from '@zai2api/credentials';
import { openRedisStore, type OpenedStore } from '../support/open-redis-store.ts';
import { randomPrefix, redisAccess, startRedis, type RedisServer } from '../support/start-redis.ts';
import { waitFor } from '../support/wait-for.ts';

jest.setTimeout(60_000);

const WITHIN_MS = 5_000;
const never = new AbortController().signal;

let redis: RedisServer;
beforeAll(async () => {
  // Its own: the tests count its commands and flush its scripts.
  redis = await startRedis({ isOwn: true });
});
afterAll(() => redis.close());

const opened: OpenedStore[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.close()));
});

/** Several processes of one installation, as far as the store can tell. */
async function openPods(count: number): Promise<CredentialStore[]> {
  const { settings } = redisAccess({ ...redis.env, REDIS_KEY_PREFIX: randomPrefix() });
  const pods = await Promise.all(Array.from({ length: count }, () => openRedisStore(settings)));
  opened.push(...pods);
  return pods.map(({ store }) => store);
}

const credential = (id: string, overrides: Partial<Credential> = {}): Credential => ({
  id,
  kind: 'guest',
  token: `token-of-${id}`,
  userId: id,
  userName: id,
  createdAtMs: Date.now(),
  expiresAtMs: Date.now() + 3_600_000,
  concurrency: 1,
  ...overrides,
});
const request = (overrides: Partial<LeaseRequest> = {}): LeaseRequest => ({
  signal: never,
  waitMs: WITHIN_MS,
  leaseMs: 60_000,
  ...overrides,
});
/** A lease that is known to wait. */
async function leaseInLine(
  store: CredentialStore,
  overrides: Partial<LeaseRequest> = {},
): Promise<{ lease: Promise<Lease> }> {
  const before = (await store.counts()).waiting;
  const lease = store.lease(request(overrides));
  lease.catch(() => undefined);
  await waitFor(async () => (await store.counts()).waiting === before + 1, { withinMs: WITHIN_MS });
  return { lease };
}

describe('pods on one Redis', () => {
  it('share a limit', async () => {
    const [one, other] = (await openPods(2)) as [CredentialStore, CredentialStore];
    await one.put(credential('a', { concurrency: 2 }));
    const first = await one.lease(request({ waitMs: 0 }));
    const second = await other.lease(request({ waitMs: 0 }));
    expect(second.fence).toBeGreaterThan(first.fence);
    for (const store of [one, other]) {
      await expect(store.lease(request({ waitMs: 0 }))).rejects.toMatchObject({ code: 'no_capacity' });
      expect((await store.counts()).guest).toMatchObject({ leased: 1, ready: 0 });
    }
  });

  it('wake each other: by a release, a new credential, a bad supply', async () => {
    const [one, other] = (await openPods(2)) as [CredentialStore, CredentialStore];
    await one.put(credential('a'));
    const held = await one.lease(request());
    const byRelease = await leaseInLine(other);
    const startedAtMs = performance.now();
    await held.release({ result: 'good' });
    const next = await byRelease.lease;
    const byPut = await leaseInLine(one);
    await other.put(credential('b'));
    expect((await byPut.lease).credential.id).toBe('b');
    const byState = await leaseInLine(one, { exclude: new Set(['a', 'b']) });
    await other.setPoolState({ state: 'blocked', untilMs: Date.now() + 60_000, reason: 'as the test says' });
    await expect(byState.lease).rejects.toMatchObject({ code: 'upstream_blocked' });
    expect(performance.now() - startedAtMs).toBeLessThan(1_500);
    expect(await one.poolState()).toMatchObject({ state: 'blocked', reason: 'as the test says' });
    await next.release({ result: 'good' });
  });

  it('hear of each other’s demand', async () => {
    const [one, refresher] = (await openPods(2)) as [CredentialStore, CredentialStore];
    const { promise, resolve } = Promise.withResolvers<undefined>();
    refresher.onDemand(() => resolve(undefined));
    await leaseInLine(one);
    await promise;
  });

  it('get the slots of a crashed one back at the deadline of its leases, by a clock of their own', async () => {
    const [crashed, survivor] = (await openPods(2)) as [CredentialStore, CredentialStore];
    await crashed.put(credential('a'));
    const lost = await crashed.lease(request({ leaseMs: 300 }));
    const { lease } = await leaseInLine(survivor);
    const next = await lease;
    expect(next.fence).toBeGreaterThan(lost.fence);
    expect(await crashed.renew(lost, 60_000)).toBe(false);
    await lost.release({ result: 'dead' });
    expect((await survivor.counts()).guest).toMatchObject({ leased: 1, total: 1 });
  });

  it('agree on deadlines although a clock of theirs is wrong', async () => {
    const { settings } = redisAccess({ ...redis.env, REDIS_KEY_PREFIX: randomPrefix() });
    const right = await openRedisStore(settings);
    const wrong = await openRedisStore(settings);
    opened.push(right, wrong);
    jest.spyOn(Date, 'now').mockImplementation(() => 4_000_000_000_000);
    try {
      await right.store.put(credential('a', { expiresAtMs: Infinity }));
      await right.store.lease(request({ waitMs: 0, leaseMs: 5_000 }));
      await expect(wrong.store.lease(request({ waitMs: 0 }))).rejects.toMatchObject({ code: 'no_capacity' });
    } finally {
      jest.restoreAllMocks();
    }
  });

  it('let who leaves while it asks leave at once, and take nothing for it', async () => {
    const [store] = (await openPods(1)) as [CredentialStore];
    await store.put(credential('a'));
    const leaving = new AbortController();
    const asking = store.lease(request({ signal: leaving.signal }));
    const reason = new Error('the client left');
    leaving.abort(reason);
    await expect(asking).rejects.toBe(reason);
    await waitFor(async () => (await store.counts()).guest.ready === 1, { withinMs: WITHIN_MS });
  });

  it('survive a flushed script cache', async () => {
    const [store] = (await openPods(1)) as [CredentialStore];
    await store.put(credential('a'));
    const { commands } = opened[0]!;
    await commands.script('FLUSH');
    expect((await store.lease(request())).credential.id).toBe('a');
  });

  it('lease and release with one command each, and nothing else', async () => {
    const [store] = (await openPods(1)) as [CredentialStore];
    await store.put(credential('a'));
    await (await store.lease(request())).release({ result: 'good' });
    const { commands } = opened[0]!;
    const countScripts = async (): Promise<number> => {
      const stats = await commands.info('commandstats');
      return ['evalsha', 'eval'].reduce(
        (sum, name) => sum + Number(new RegExp(`^cmdstat_${name}:calls=(\\d+)`, 'm').exec(stats)?.[1] ?? 0),
        0,
      );
    };
    const before = await countScripts();
    const turns = 20;
    for (let turn = 0; turn < turns; turn++) await (await store.lease(request())).release({ result: 'good' });
    expect((await countScripts()) - before).toBe(2 * turns);
  });

  it('carry lines far longer than the pool, each in its order, and within the limit', async () => {
    const pods = await openPods(3);
    await pods[0]!.put(credential('a', { concurrency: 2 }));
    await pods[0]!.put(credential('b', { concurrency: 3 }));
    const held = await Promise.all(Array.from({ length: 5 }, () => pods[0]!.lease(request())));
    let running = 0;
    let most = 0;
    const orders = pods.map(() => [] as number[]);
    const turns = Array.from({ length: 600 }, async (_, index) => {
      const pod = index % pods.length;
      const lease = await pods[pod]!.lease(request({ waitMs: 30_000 }));
      orders[pod]!.push(index);
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      await lease.release({ result: 'good' });
    });
    for (const pod of pods) {
      await waitFor(async () => (await pod.counts()).waiting === 200, { withinMs: WITHIN_MS });
    }
    for (const lease of held) await lease.release({ result: 'good' });
    await Promise.all(turns);
    expect(most).toBeLessThanOrEqual(5);
    for (const order of orders) expect(order).toEqual([...order].sort((one, other) => one - other));
    expect((await pods[0]!.counts()).guest).toMatchObject({ ready: 2, leased: 0 });
  });

  it('tell everybody in a long line that it waits in vain', async () => {
    const [store] = (await openPods(1)) as [CredentialStore];
    const waiting = Array.from({ length: 200 }, () => store.lease(request()));
    const settled = Promise.allSettled(waiting);
    await waitFor(async () => (await store.counts()).waiting === 200, { withinMs: WITHIN_MS });
    await store.setPoolState({ state: 'blocked', untilMs: Date.now() + 60_000, reason: 'as the test says' });
    for (const result of await settled) expect(result).toMatchObject({ reason: { code: 'upstream_blocked' } });
  });

  it('leave no key behind that grows with the turns', async () => {
    const [store] = (await openPods(1)) as [CredentialStore];
    const { commands } = opened[0]!;
    await store.put(credential('a', { kind: 'user' }));
    for (let turn = 0; turn < 10; turn++) await (await store.lease(request())).release({ result: 'good' });
    await store.remove('a');
    await store.put(credential('b', { expiresAtMs: Date.now() - 1 }));
    expect((await store.retireExpired()).map(({ id }) => id)).toEqual(['b']);
    const mine = `{${opened[0]!.settings.REDIS_KEY_PREFIX}:credentials}`;
    expect(await commands.keys(`${mine}:*`)).toEqual([`${mine}:meta`]);
  });

  it('never log a token', async () => {
    const [store] = (await openPods(1)) as [CredentialStore];
    await store.put(credential('a'));
    await (await store.lease(request())).release({ result: 'dead' });
    expect(opened[0]!.logText()).not.toContain('token-of-');
  });
});
