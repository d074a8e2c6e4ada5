import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { PoolCounts } from '@zai2api/credentials';
import { startFakeUpstream, type FakeUpstream, type FakeUpstreamSettings } from '../fake-upstream/index.ts';
import { openRedisStore, type OpenedStore } from '../support/open-redis-store.ts';
import { startProcess, type ServiceProcess } from '../support/start-process.ts';
import { randomPrefix, redisAccess, startRedis, type RedisServer } from '../support/start-redis.ts';
import { waitFor } from '../support/wait-for.ts';

/** Processes start in a second or two, and the lock of a dead one holds for ten. */
jest.setTimeout(90_000);

const START_MS = 20_000;
const SOON_MS = 10_000;
/** The lock of a tick, and the checks for stalled ones. */
const TAKEOVER_MS = 25_000;
const MAX_STOP_MS = 2_000;
/** Each goodbye to a Redis that does not answer is waited for, for a moment. */
const MAX_STOP_WITHOUT_REDIS_MS = 6_000;
/** Several ticks of a refresher that looks each second. */
const SEVERAL_TICKS = 3;

const never = new AbortController().signal;
const isAuth = ({ method, path }: { method: string; path: string }): boolean =>
  method === 'GET' && path === '/api/v1/auths/';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Scene {
  readonly upstream: FakeUpstream;
  readonly redis: RedisServer;
  /** The shared store as a translator sees it. */
  readonly observer: OpenedStore;
  /** How often the upstream was asked who somebody is. */
  readonly asked: () => number;
  readonly start: (env?: Readonly<Record<string, string>>) => ServiceProcess;
  readonly readyGuests: () => Promise<number>;
}

async function createScene({
  upstream: settings = {},
  isOwn = false,
}: { upstream?: Partial<FakeUpstreamSettings>; isOwn?: boolean } = {}): Promise<Scene> {
  const upstream = await startFakeUpstream({ settings });
  closers.push(() => upstream.close());
  const redis = await startRedis({ isOwn });
  closers.push(() => redis.close());
  // A Redis may be shared by the tests, its keys are not.
  const access = redisAccess({ ...redis.env, REDIS_KEY_PREFIX: randomPrefix(), REDIS_COMMAND_TIMEOUT: '1' });
  const observer = await openRedisStore(access.settings);
  closers.push(() => observer.close());
  return {
    upstream,
    redis,
    observer,
    asked: () => upstream.log.filter(isAuth).length,
    start(env = {}) {
      const started = startProcess('token-refresher', {
        ...access.env,
        ZAI_API_BASE: upstream.url,
        ZAI_LOG_LEVEL: 'debug',
        ZAI_REFRESH_INTERVAL: '1',
        ...env,
      });
      closers.push(() => started.close());
      return started;
    },
    readyGuests: async () => (await observer.store.counts()).guest.ready,
  };
}

const ticksOf = ({ logLines }: ServiceProcess): number =>
  logLines.filter(({ msg }) => msg === 'looking at the pool').length;
const ticksOfAll = (processes: readonly ServiceProcess[]): number =>
  processes.reduce((sum, each) => sum + ticksOf(each), 0);

async function letTick(processes: readonly ServiceProcess[], more = SEVERAL_TICKS): Promise<void> {
  const before = ticksOfAll(processes);
  await waitFor(() => ticksOfAll(processes) >= before + more, { withinMs: START_MS, what: `${more} more ticks` });
}

const isStarted = ({ logLines }: ServiceProcess): boolean => logLines.some(({ msg }) => msg === 'started');

async function stopInTime(process: ServiceProcess): Promise<void> {
  const atMs = performance.now();
  process.kill('SIGTERM');
  expect(await process.exited).toEqual({ code: 0, stderr: '' });
  expect(performance.now() - atMs).toBeLessThan(MAX_STOP_MS);
}

describe('two refresher processes on one Redis', () => {
  it('fill the pool once, and it stays when they stop', async () => {
    const { asked, start, readyGuests } = await createScene();
    const refreshers = [start(), start()];
    await waitFor(() => refreshers.every(isStarted), { withinMs: START_MS });
    await waitFor(async () => (await readyGuests()) === 3, { withinMs: SOON_MS });
    await letTick(refreshers);
    expect([await readyGuests(), asked()]).toEqual([3, 3]);
    await Promise.all(refreshers.map(stopInTime));
    expect(await readyGuests()).toBe(3);
  });

  it('replace a guest that a turn found dead, at once and once', async () => {
    const { observer, asked, start, readyGuests } = await createScene();
    const refreshers = [start({ ZAI_REFRESH_INTERVAL: '60' }), start({ ZAI_REFRESH_INTERVAL: '60' })];
    await waitFor(() => refreshers.every(isStarted), { withinMs: START_MS });
    await waitFor(async () => (await readyGuests()) === 3, { withinMs: SOON_MS });
    const lease = await observer.store.lease({ signal: never, waitMs: 0, leaseMs: 5_000 });
    await lease.release({ result: 'dead' });
    await waitFor(async () => (await readyGuests()) === 3, { withinMs: SOON_MS });
    expect(asked()).toBe(4);
  });

  it('survive kill -9 of the one that fills the pool', async () => {
    const { upstream, asked, start, readyGuests } = await createScene({ upstream: { authFault: 'hang' } });
    const refreshers = [start(), start()];
    await waitFor(() => asked() === 3, { withinMs: START_MS });
    const working = await waitFor(() => refreshers.find((each) => ticksOf(each) > 0), { withinMs: SOON_MS });
    const other = refreshers.find((each) => each !== working)!;
    await waitFor(() => isStarted(other), { withinMs: START_MS });
    expect(ticksOf(other)).toBe(0);
    upstream.configure({ authFault: null });
    working.kill('SIGKILL');
    await waitFor(async () => (await readyGuests()) === 3, {
      withinMs: TAKEOVER_MS,
      what: 'the other to fill the pool',
    });
    expect(asked()).toBe(6);
    await stopInTime(other);
  });

  it('keep the pool when the one that filled it is killed between two looks', async () => {
    const { observer, start, readyGuests } = await createScene();
    const first = start();
    await waitFor(async () => (await readyGuests()) === 3, { withinMs: START_MS });
    const second = start();
    await waitFor(() => isStarted(second), { withinMs: START_MS });
    first.kill('SIGKILL');
    const lease = await observer.store.lease({ signal: never, waitMs: 0, leaseMs: 5_000 });
    await lease.release({ result: 'dead' });
    await waitFor(async () => (await readyGuests()) === 3, { withinMs: TAKEOVER_MS });
  });

  it('stop at once in the middle of a look, which the other one does again', async () => {
    const { upstream, asked, start, readyGuests } = await createScene({ upstream: { authFault: 'hang' } });
    const working = start({ ZAI_REFRESH_INTERVAL: '60' });
    await waitFor(() => asked() === 3, { withinMs: START_MS });
    const other = start({ ZAI_REFRESH_INTERVAL: '60' });
    await waitFor(() => isStarted(other), { withinMs: START_MS });
    upstream.configure({ authFault: null });
    await stopInTime(working);
    await waitFor(async () => (await readyGuests()) === 3, { withinMs: SOON_MS });
  });

  it('tell everybody of a challenge, and do not insist', async () => {
    const { upstream, observer, asked, start } = await createScene({ upstream: { authFault: '403-challenge' } });
    const refreshers = [start(), start()];
    await waitFor(async () => (await observer.store.poolState()).state === 'challenged', { withinMs: START_MS });
    await waitFor(() => refreshers.every(isStarted), { withinMs: START_MS });
    const leases = Array.from({ length: 50 }, () =>
      observer.store.lease({ signal: never, waitMs: 5_000, leaseMs: 5_000 }).catch((error: unknown) => error),
    );
    for (const error of await Promise.all(leases)) expect(error).toMatchObject({ code: 'upstream_challenged' });
    await letTick(refreshers, 5);
    expect(asked()).toBe(3);
    upstream.configure({ authFault: null });
    // The back-off of the one holds for the other, too, and for a new one.
    refreshers[0]!.kill('SIGKILL');
    const next = start();
    await waitFor(() => isStarted(next), { withinMs: START_MS });
    await letTick([refreshers[1]!, next], 5);
    expect(asked()).toBe(3);
  });

  it('stay below the hourly cap together', async () => {
    const { observer, asked, start } = await createScene();
    const env = { ZAI_ANON_MINTS_PER_HOUR: '5' };
    const refreshers = [start(env), start(env)];
    await waitFor(() => refreshers.every(isStarted), { withinMs: START_MS });
    for (let minted = 3; minted <= 5; minted++) {
      await waitFor(() => asked() >= Math.min(5, minted), { withinMs: SOON_MS });
      const lease = await observer.store.lease({ signal: never, waitMs: SOON_MS, leaseMs: 5_000 });
      await lease.release({ result: 'dead' });
    }
    // One that has just started knows nothing of its own.
    refreshers[0]!.kill('SIGKILL');
    const next = start(env);
    await waitFor(() => isStarted(next), { withinMs: START_MS });
    await letTick([refreshers[1]!, next], 8);
    expect(asked()).toBe(5);
  });

  it('replace guests that end, and delete the chats of each once', async () => {
    const { upstream, start, readyGuests } = await createScene();
    const env = { ZAI_AUTH_TOKEN_CACHE_TTL: '10' };
    const refreshers = [start(env), start(env)];
    await waitFor(async () => (await readyGuests()) === 3, { withinMs: START_MS });
    const first = upstream.issuedTokens().map(({ userId }) => userId);
    const cleaned = (): (string | undefined)[] =>
      upstream.log.filter(({ method }) => method === 'DELETE').map(({ tokenUserId }) => tokenUserId);
    await waitFor(() => first.every((userId) => cleaned().includes(userId)), { withinMs: 15_000 });
    await letTick(refreshers);
    expect(cleaned()).toHaveLength(new Set(cleaned()).size);
    expect(await readyGuests()).toBe(3);
  });

  it('check a user token once per interval, not once each', async () => {
    const { upstream, observer, asked, start } = await createScene();
    const { token } = upstream.addUserToken();
    const env = { ZAI_UPSTREAM_TOKEN: token, ZAI_ANON_TOKEN_ENABLED: 'false', ZAI_USER_TOKEN_CHECK_INTERVAL: '600' };
    const refreshers = [start(env), start(env)];
    await waitFor(async () => (await observer.store.counts()).user.ready === 1, { withinMs: START_MS });
    await waitFor(() => refreshers.every(isStarted), { withinMs: START_MS });
    await letTick(refreshers, 5);
    expect(asked()).toBe(1);
  });

  it('fill the pool of a Redis that comes back empty', async () => {
    const { redis, observer, asked, start, readyGuests } = await createScene({ isOwn: true });
    const refreshers = [start(), start()];
    await waitFor(() => refreshers.every(isStarted), { withinMs: START_MS });
    await waitFor(async () => (await readyGuests()) === 3, { withinMs: SOON_MS });
    await redis.kill();
    await redis.restart();
    const counts = (): Promise<PoolCounts | undefined> => observer.store.counts().catch(() => undefined);
    await waitFor(async () => (await counts())?.guest.ready === 3, { withinMs: TAKEOVER_MS });
    expect(asked()).toBeLessThanOrEqual(7);
    await Promise.all(refreshers.map(stopInTime));
  });
});

describe('a refresher process', () => {
  it('without Redis says what it needs', async () => {
    await using refresher = startProcess('token-refresher', {});
    const { code, stderr } = await refresher.exited;
    expect(code).toBe(78);
    expect(stderr).toMatch(/token-refresher: .*REDIS_URL.*standalone/);
  });

  it('starts, stays alive and stops while Redis is away, and says so', async () => {
    const { redis, start, observer } = await createScene({ isOwn: true });
    await redis.kill();
    const refresher = start();
    const { adminPort } = await waitFor(
      () => refresher.logLines.find(({ msg }) => msg === 'starting') as { adminPort: number } | undefined,
      { withinMs: START_MS },
    );
    await waitFor(() => isStarted(refresher), { withinMs: START_MS });
    const probe = async (path: string): Promise<Response> => fetch(`http://127.0.0.1:${adminPort}${path}`);
    expect((await probe('/livez')).status).toBe(200);
    await waitFor(async () => (await (await probe('/readyz')).text()).includes('unreachable since'), {
      withinMs: SOON_MS,
    });
    await stopInTime(refresher);
    const late = start();
    await waitFor(() => isStarted(late), { withinMs: START_MS });
    await redis.restart();
    const counts = (): Promise<PoolCounts | undefined> => observer.store.counts().catch(() => undefined);
    await waitFor(async () => (await counts())?.guest.ready === 3, { withinMs: TAKEOVER_MS });
  });

  it('goes on after a Redis that did not answer for a while, and stops in time while it does not', async () => {
    const { redis, observer, start, readyGuests } = await createScene({ isOwn: true });
    const refresher = start({ REDIS_COMMAND_TIMEOUT: '0.5' });
    await waitFor(async () => (await readyGuests()) === 3, { withinMs: START_MS });
    await redis.freeze();
    await waitFor(() => refresher.logLines.some(({ msg }) => msg === 'redis is unreachable'), { withinMs: SOON_MS });
    await wait(2_000);
    await redis.resume();
    const lease = await waitFor(
      () => observer.store.lease({ signal: never, waitMs: 0, leaseMs: 5_000 }).catch(() => undefined),
      { withinMs: SOON_MS },
    );
    await lease.release({ result: 'dead' });
    await waitFor(async () => (await readyGuests().catch(() => 0)) === 3, { withinMs: TAKEOVER_MS });
    await redis.freeze();
    await waitFor(() => refresher.logLines.filter(({ msg }) => msg === 'redis is unreachable').length > 1, {
      withinMs: SOON_MS,
    });
    const atMs = performance.now();
    refresher.kill('SIGTERM');
    const giveUp = setTimeout(() => refresher.kill('SIGKILL'), 2 * MAX_STOP_WITHOUT_REDIS_MS);
    const stopped = await refresher.exited;
    clearTimeout(giveUp);
    const stopMs = performance.now() - atMs;
    await redis.resume();
    expect(stopped).toMatchObject({ code: 0 });
    expect(stopMs).toBeLessThan(MAX_STOP_WITHOUT_REDIS_MS);
    expect(refresher.logLines.filter(({ level }) => level === 'error').length).toBeLessThan(5);
  });

  it('follows a mounted file of user tokens', async () => {
    const { upstream, observer, start } = await createScene();
    const folder = await mkdtemp(join(tmpdir(), 'zai2api-tokens-'));
    closers.push(() => rm(folder, { recursive: true, force: true }));
    /** As the kubelet does it: a new folder, and a link to it that is renamed into place. */
    const mount = async (version: string, text: string): Promise<void> => {
      await mkdir(join(folder, version));
      await writeFile(join(folder, version, 'tokens'), text);
      await symlink(version, join(folder, '..data_tmp'));
      await rename(join(folder, '..data_tmp'), join(folder, '..data'));
    };
    const [one, two, three] = [upstream.addUserToken(), upstream.addUserToken(), upstream.addUserToken()];
    await mount('..1', `${one.token}\n${two.token}\n`);
    await symlink(join('..data', 'tokens'), join(folder, 'tokens'));
    const refresher = start({
      ZAI_UPSTREAM_TOKEN_FILE: join(folder, 'tokens'),
      ZAI_ANON_TOKEN_ENABLED: 'false',
      ZAI_REFRESH_INTERVAL: '600',
    });
    const usable = async (): Promise<string[]> => {
      const leases = await Promise.all(
        Array.from({ length: 9 }, () =>
          observer.store.lease({ signal: never, waitMs: 0, leaseMs: 1_000 }).catch(() => undefined),
        ),
      );
      for (const lease of leases) await lease?.release({ result: 'good' });
      return [...new Set(leases.flatMap((lease) => (lease ? [lease.credential.userId] : [])))].sort();
    };
    await waitFor(async () => (await observer.store.counts()).user.ready === 2, { withinMs: START_MS });
    expect(await usable()).toEqual([one.userId, two.userId].sort());
    await mount('..2', `${two.token},${three.token}`);
    await waitFor(async () => (await usable()).includes(three.userId), { withinMs: SOON_MS });
    expect(await usable()).toEqual([two.userId, three.userId].sort());
    const printed = JSON.stringify(refresher.logLines);
    for (const { token } of [one, two, three]) expect(printed).not.toContain(token);
  });
});
