import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { closeRedis, createLogger, openRedis } from '@zai2api/runtime';
import { describeResponseStore } from '../../services/chat-translator/src/responses/response-store.conformance.ts';
import { createRedisResponseStore } from '../../services/chat-translator/src/responses/redis-response-store.ts';
import type { ResponseStore } from '../../services/chat-translator/src/responses/response-store.ts';
import { randomPrefix, redisAccess, startRedis, type RedisAccess } from '../support/start-redis.ts';
import { startRedisCluster } from '../support/start-redis-cluster.ts';
import { startTlsRedis } from '../support/start-redis-tls.ts';
import { waitFor } from '../support/wait-for.ts';

jest.setTimeout(60_000);

const logger = createLogger({ name: 'test', level: 'silent', format: 'json' });
const ALIVE_MS = 400;

interface Opened extends AsyncDisposable {
  readonly store: ResponseStore;
  readonly commands: ReturnType<typeof openRedis>;
}

/** A store as a process has it, with its own connections. */
function openStore(
  { env, settings: { REDIS_COMMAND_TIMEOUT } }: RedisAccess,
  prefix: string,
  ttlMs = 60_000,
  maxBytes = 1_000_000,
): Opened {
  const { settings } = redisAccess({ ...env, REDIS_KEY_PREFIX: prefix });
  const commands = openRedis(settings, { logger, role: 'guarded' });
  const subscriber = openRedis(settings, { logger, role: 'subscriber' });
  const store = createRedisResponseStore({
    commands,
    subscriber,
    prefix,
    logger,
    commandTimeoutMs: REDIS_COMMAND_TIMEOUT * 1000,
    ttlMs,
    maxResponseSize: 1_000_000,
    maxBytes,
    aliveMs: ALIVE_MS,
  });
  return {
    store,
    commands,
    async [Symbol.asyncDispose]() {
      await store.close();
      const deadline = AbortSignal.timeout(1_000);
      await Promise.all([closeRedis(commands, deadline), closeRedis(subscriber, deadline)]);
    },
  };
}

describe.each<[string, () => Promise<RedisAccess & AsyncDisposable>]>([
  ['a single Redis', startRedis],
  ['Redis Cluster', startRedisCluster],
  ['TLS as an ACL user', startTlsRedis],
])('responses in %s', (name, start) => {
  let redis: RedisAccess & AsyncDisposable;
  beforeAll(async () => {
    redis = await start();
  });
  afterAll(async () => {
    await redis[Symbol.asyncDispose]();
  });

  describeResponseStore(
    `the store of responses in ${name}`,
    async () => {
      const prefix = randomPrefix();
      const [mine, other] = [openStore(redis, prefix), openStore(redis, prefix)];
      const watched = `resp_${randomUUID().replaceAll('-', '')}`;
      return {
        store: mine.store,
        other: other.store,
        async waitUntilDead() {
          await mine.store.begin({
            id: watched,
            tenant: 't',
            state: 'running',
            response: '{}',
            input: '[]',
            events: { first: 0, last: 0, text: 'x' },
          });
          await waitFor(async () => (await other.store.read(watched, 't'))?.state === 'dead', { withinMs: 5_000 });
        },
        async close() {
          await mine[Symbol.asyncDispose]();
          await other[Symbol.asyncDispose]();
        },
      };
    },
    { processesDie: true },
  );
});

describe('responses in Redis', () => {
  it('go with their time, all keys of them', async () => {
    await using redis = await startRedis();
    const prefix = randomPrefix();
    await using opened = openStore(redis, prefix, 300);
    const { store, commands } = opened;
    const events = { first: 0, last: 0, text: 'x' };
    await store.begin({ id: 'resp_1', tenant: 't', state: 'running', response: '{}', input: '[]', events });
    await store.begin({ id: 'resp_2', tenant: 't', state: 'over', response: '{}', input: '[]' });
    await store.finish('resp_1', '{}', undefined);
    expect(await commands.keys(`*${prefix}*`)).not.toHaveLength(0);
    await waitFor(async () => (await commands.keys(`*${prefix}*`)).length === 0, { withinMs: 5_000 });
    expect(await store.read('resp_1', 't')).toBeUndefined();
  });

  it('that an emptied server has lost are told from those that somebody deleted', async () => {
    await using redis = await startRedis({ isOwn: true });
    await using opened = openStore(redis, randomPrefix());
    const { store, commands } = opened;
    const events = { first: 0, last: 0, text: 'x' };
    for (const id of ['resp_1', 'resp_2'])
      await store.begin({ id, tenant: 't', state: 'running', response: '{}', input: '[]', events });
    await store.remove('resp_1', 't');
    expect(await store.renew('resp_1')).toBe('taken');
    expect([await store.read('resp_1', 't'), await store.readEvents('resp_1', 0)]).toEqual([
      undefined,
      { state: 'gone', batches: [] },
    ]);
    expect(await store.remove('resp_1', 't')).toBe(false);
    await commands.flushall();
    expect(await store.renew('resp_2')).toBe('lost');
    expect(await store.append('resp_2', { first: 1, last: 1, text: 'y' })).toBe('lost');
    expect(await store.finish('resp_2', '{}', undefined)).toBe('lost');
  });

  it('are bounded: the oldest go first, running ones and what was deleted do not count', async () => {
    await using redis = await startRedis();
    const prefix = randomPrefix();
    await using opened = openStore(redis, prefix, 60_000, 1_000);
    const { store, commands } = opened;
    const whole = { tenant: 't', state: 'over' as const, response: 'x'.repeat(200), input: 'ä'.repeat(50) };
    const sizes = `{${prefix}:response:all}:sizes`;
    const counts = (bytes: number): Promise<unknown> =>
      waitFor(async () => (await commands.hget(sizes, '')) === String(bytes), { withinMs: 5_000 });
    const keptOf = async (ids: readonly string[]): Promise<string[]> => {
      const found = await Promise.all(ids.map((id) => store.read(id, 't')));
      return ids.filter((_, index) => found[index]);
    };
    const events = { first: 0, last: 0, text: 'y'.repeat(100) };
    await store.begin({ ...whole, id: 'run', state: 'running', input: '', events });
    for (const id of ['a', 'b']) await store.begin({ ...whole, id });
    await counts(900);
    await store.remove('a', 't');
    await counts(600);
    await store.begin({ ...whole, id: 'c' });
    await counts(900);
    await store.begin({ ...whole, id: 'd' });
    await waitFor(async () => (await keptOf(['run', 'b', 'c', 'd'])).length === 4, { withinMs: 5_000 });
    await counts(900);
    await store.begin({ ...whole, id: 'e' });
    await waitFor(async () => (await keptOf(['b'])).length === 0, { withinMs: 5_000 });
    expect(await keptOf(['run', 'b', 'c', 'd', 'e'])).toEqual(['run', 'c', 'd', 'e']);
    await store.append('run', { first: 1, last: 1, text: 'z'.repeat(100) });
    expect(await store.finish('run', 'x'.repeat(100), undefined)).toBe('ours');
    await waitFor(async () => (await keptOf(['c'])).length === 0, { withinMs: 5_000 });
    expect(await keptOf(['run', 'd', 'e'])).toEqual(['run', 'd', 'e']);
    await counts(900);
  });

  it('are refused within the time of a command while it is frozen, then at once, and come back', async () => {
    await using redis = await startRedis({ isOwn: true, env: { REDIS_COMMAND_TIMEOUT: '0.3' } });
    await using opened = openStore(redis, randomPrefix());
    const { store } = opened;
    await store.begin({ id: 'resp_1', tenant: 't', state: 'over', response: '{}', input: '[]' });
    await redis.freeze();
    const refusal = expect.objectContaining({ code: 'no_capacity' });
    const startedAtMs = performance.now();
    await expect(store.read('resp_1', 't')).rejects.toEqual(refusal);
    await expect(store.read('resp_1', 't')).rejects.toEqual(refusal);
    expect(performance.now() - startedAtMs).toBeLessThan(1_500);
    await redis.resume();
    await waitFor(() => store.read('resp_1', 't').then(Boolean, () => false), { withinMs: 5_000 });
  });
});
