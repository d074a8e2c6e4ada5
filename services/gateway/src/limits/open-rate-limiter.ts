import { closeRedis, isRedisConfigured, openRedis, type RedisSettings, type Runtime } from '@zai2api/runtime';
import { createFallbackRateLimiter } from './fallback-rate-limiter.ts';
import { createMemoryRateLimiter } from './memory-rate-limiter.ts';
import type { RateLimiter } from './rate-limiter.ts';
import { createRedisRateLimiter } from './redis-rate-limiter.ts';

const PERIOD_MS = 60_000;

/**
 * The rate limiter that the settings ask for: shared through Redis where one is configured, else of this process; undefined for no limit. The
 * connection ends with the runtime's stop.
 */
export function openRateLimiter(
  requestsPerMinute: number,
  redis: RedisSettings,
  runtime: Pick<Runtime, 'logger' | 'onStop'>,
): RateLimiter | undefined {
  if (requestsPerMinute === 0) return undefined;
  const { logger } = runtime;
  const rate = { limit: requestsPerMinute, periodMs: PERIOD_MS };
  const now = (): number => performance.now();
  const local = createMemoryRateLimiter(rate, now);
  if (!isRedisConfigured(redis)) return local;
  const commands = openRedis(redis, { logger, role: 'commands' });
  runtime.onStop('stores', 'rate limits', (deadline) => closeRedis(commands, deadline));
  return createFallbackRateLimiter({
    shared: createRedisRateLimiter({ commands, prefix: redis.REDIS_KEY_PREFIX, rate }),
    local,
    now,
    onFault: (reason) => logger.warn({ err: reason }, 'redis does not answer: each gateway limits the rate by itself'),
  });
}
