import { afterAll, beforeAll, describe, jest } from '@jest/globals';
import { createManualClock } from '../../libs/credentials/src/conformance/manual-clock.conformance.ts';
import { describeCredentialStore } from '../../libs/credentials/src/credential-store.conformance.ts';
import { advanceInSteps, openRedisStore } from '../support/open-redis-store.ts';
import { randomPrefix, redisAccess, startRedis, type RedisAccess } from '../support/start-redis.ts';
import { startRedisCluster } from '../support/start-redis-cluster.ts';
import { startRedisSentinels } from '../support/start-redis-sentinels.ts';
import { startTlsRedis } from '../support/start-redis-tls.ts';

/** Starting servers and letting them find each other takes seconds on a busy machine. */
jest.setTimeout(60_000);

const ways: readonly [string, typeof startRedis | (() => Promise<RedisAccess & AsyncDisposable>)][] = [
  ['a single Redis', startRedis],
  ['Redis Cluster', startRedisCluster],
  ['Redis Cluster over TLS as an ACL user', () => startRedisCluster({ usesTls: true, usesAcl: true })],
  ['Sentinel', startRedisSentinels],
  ['Sentinel over TLS', () => startRedisSentinels({ usesTls: true })],
  ['TLS as an ACL user', startTlsRedis],
];

describe.each(ways)('the Redis store on %s', (name, start) => {
  let redis: RedisAccess & AsyncDisposable;
  beforeAll(async () => {
    redis = await start();
  });
  afterAll(async () => {
    await redis[Symbol.asyncDispose]();
  });

  describeCredentialStore(`the Redis store on ${name}`, async () => {
    const clock = createManualClock();
    const { settings } = redisAccess({ ...redis.env, REDIS_KEY_PREFIX: randomPrefix() });
    const opened = await openRedisStore(settings, clock);
    const { store } = opened;
    return {
      store,
      now: () => clock.now(),
      advance: (ms) => advanceInSteps(clock, store, ms),
      close: () => opened.close(),
    };
  });
});
