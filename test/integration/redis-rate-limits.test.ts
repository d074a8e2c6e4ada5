import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { closeRedis, createLogger, openRedis, type RedisClient } from '@zai2api/runtime';
import { describeRateLimiter } from '../../services/gateway/src/limits/rate-limiter.conformance.ts';
import { createRedisRateLimiter } from '../../services/gateway/src/limits/redis-rate-limiter.ts';
import { postChat } from '../support/chat-client.ts';
import { startProcess, urlOf, type ServiceProcess } from '../support/start-process.ts';
import { startRedis, type RedisServer } from '../support/start-redis.ts';
import { startRedisCluster } from '../support/start-redis-cluster.ts';
import { waitFor } from '../support/wait-for.ts';

/** Starting processes and servers takes seconds of a busy machine. */
jest.setTimeout(60_000);

const logger = createLogger({ name: 'test', level: 'silent', format: 'json' });
const ways = [
  ['a single Redis', startRedis],
  ['Redis Cluster over TLS as an ACL user', () => startRedisCluster({ usesTls: true, usesAcl: true })],
] as const;

describe.each(ways)('rate limits on %s', (name, start) => {
  let redis: Awaited<ReturnType<typeof start>>;
  let commands: RedisClient;
  beforeAll(async () => {
    redis = await start();
    commands = openRedis(redis.settings, { logger, role: 'commands' });
  });
  afterAll(async () => {
    await closeRedis(commands, AbortSignal.timeout(1_000));
    await redis[Symbol.asyncDispose]();
  });

  describeRateLimiter(`createRedisRateLimiter on ${name}`, (rate, clock) =>
    createRedisRateLimiter({
      commands,
      prefix: `${redis.settings.REDIS_KEY_PREFIX}-${randomUUID()}`,
      rate,
      now: () => clock.ms,
    }),
  );

  it('goes by the clock of the server, and leaves nothing behind', async () => {
    const prefix = `${redis.settings.REDIS_KEY_PREFIX}-${randomUUID()}`;
    const limiter = createRedisRateLimiter({ commands, prefix, rate: { limit: 2, periodMs: 200 } });
    const first = await Promise.all([limiter.take('a'), limiter.take('a'), limiter.take('a')]);
    expect(first.map(({ isAllowed }) => isAllowed)).toEqual([true, true, false]);
    await waitFor(async () => (await limiter.take('a')).isAllowed, { withinMs: 2_000 });
    await waitFor(async () => (await commands.exists(`{${prefix}:rate-limit:a}`)) === 0, { withinMs: 2_000 });
  });
});

describe('gateways that share a Redis', () => {
  it('say whether they use it', async () => {
    await using redis = await startRedis();
    const env = { ...redis.env, ZAI_HOST: '127.0.0.1', ZAI_PORT: '0', ZAI_TRANSLATOR_URL: 'http://127.0.0.1:9' };
    await using unlimited = startProcess('gateway', env);
    await using limited = startProcess('gateway', { ...env, ZAI_RATE_LIMIT_REQUESTS_PER_MINUTE: '5' });
    const detailOf = async (gateway: ServiceProcess): Promise<unknown> => {
      await gateway.listening;
      const { adminPort } = gateway.logLines.find(({ msg }) => msg === 'starting')!;
      const response = await fetch(`http://127.0.0.1:${String(adminPort)}/readyz`);
      return ((await response.json()) as { details?: { redis?: string } }).details?.redis;
    };
    expect(await detailOf(unlimited)).toBe('not used: no rate limit is set');
    await waitFor(async () => (await detailOf(limited)) === 'reachable', { withinMs: 10_000 });
  });

  async function startGateways(redis: RedisServer, count: number): Promise<ServiceProcess[]> {
    const gateways = Array.from({ length: count }, () =>
      startProcess('gateway', {
        ...redis.env,
        ZAI_PORT: '0',
        ZAI_API_KEY: 'sk-one,sk-two',
        ZAI_HOST: '127.0.0.1',
        // Nobody is there: what is let through is a 502.
        ZAI_TRANSLATOR_URL: 'http://127.0.0.1:9',
        ZAI_RATE_LIMIT_REQUESTS_PER_MINUTE: '5',
      }),
    );
    await Promise.all(gateways.map(({ listening }) => listening));
    return gateways;
  }
  const ask = async (gateway: ServiceProcess, key = 'sk-one'): Promise<number> =>
    (await postChat(urlOf(await gateway.listening), 'hi', { headers: { authorization: `Bearer ${key}` } })).status;

  it('H11: count together, and each by itself while Redis is away', async () => {
    const redis = await startRedis({ isOwn: true });
    const gateways = await startGateways(redis, 2);
    try {
      const [one, two] = gateways as [ServiceProcess, ServiceProcess];
      const statuses: number[] = [];
      for (let round = 0; round < 4; round++) statuses.push(await ask(one), await ask(two));
      expect(statuses.filter((status) => status === 502)).toHaveLength(5);
      expect(statuses.slice(-3)).toEqual([429, 429, 429]);
      expect(await ask(one, 'sk-two')).toBe(502);

      await redis.freeze();
      const startedAtMs = performance.now();
      const alone: number[] = [];
      for (let request = 0; request < 6; request++) alone.push(await ask(two));
      expect(alone).toEqual([502, 502, 502, 502, 502, 429]);
      // Only the first of them waited for Redis.
      expect(performance.now() - startedAtMs).toBeLessThan(2_000);
      expect(two.logLines.some(({ msg }) => /each gateway limits the rate/.test(String(msg)))).toBe(true);
      await redis.resume();
      await waitFor(async () => (await ask(one)) === 429, { withinMs: 10_000 });
      expect(JSON.stringify([...one.logLines, ...two.logLines])).not.toContain('sk-one');
    } finally {
      await Promise.all(gateways.map((gateway) => gateway.close()));
      await redis.close();
    }
  });
});
