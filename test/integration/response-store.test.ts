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
function openStore({ env, settings: { REDIS_COMMAND_TIMEOUT } }: RedisAccess, prefix: string, ttlMs = 60_000): Opened {
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

  describeResponseStore(`the store of responses in ${name}`, async () => {
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
  });
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
