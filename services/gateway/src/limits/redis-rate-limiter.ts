import { createHash } from 'node:crypto';
import type { RedisClient } from '@zai2api/runtime';
import type { RateLimit, RateLimiter } from './rate-limiter.ts';

/**
 * The generic cell rate algorithm on the clock of Redis, so that gateways whose clocks differ agree. The same arithmetic as in
 * `createMemoryRateLimiter`.
 *
 * KEYS[1]  when all of the limit is there again, in ms; gone when it is
 * ARGV[1]  limit
 * ARGV[2]  period, in ms
 * ARGV[3]  now, in ms; empty: the clock of the server
 *
 * Returns whether the request is allowed, what remains, ms until the reset, ms until the next request; texts, because Redis cuts fractions.
 */
const takeScript = `
local limit, period, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + time[2] / 1000
end
local interval = period / limit
local before = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local after = before + interval
local wait = after - now - period
if wait > 0.001 then
  return {0, 0, string.format('%.3f', before - now), string.format('%.3f', wait)}
end
redis.call('SET', KEYS[1], string.format('%.3f', after), 'PX', math.ceil(after - now) + 1)
local remaining = math.max(0, math.floor((period - (after - now) + 0.001) / interval))
return {1, remaining, string.format('%.3f', after - now), '0'}
`;
const takeDigest = createHash('sha1').update(takeScript).digest('hex');

/**
 * The limiter of all gateways that share a Redis. Rejects when Redis does not answer: see `createFallbackRateLimiter`. `now` gives milliseconds
 * since the epoch and is for tests.
 */
export function createRedisRateLimiter(options: {
  readonly commands: RedisClient;
  readonly prefix: string;
  readonly rate: RateLimit;
  readonly now?: () => number;
}): RateLimiter {
  const { commands, prefix, rate, now } = options;

  async function run(key: string): Promise<unknown> {
    const values = [`{${prefix}:rate-limit:${key}}`, rate.limit, rate.periodMs, now?.() ?? ''];
    try {
      return await commands.evalsha(takeDigest, 1, ...values);
    } catch (error) {
      // A server that was restarted, or that nobody has used yet.
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return commands.eval(takeScript, 1, ...values);
    }
  }

  return {
    async take(key) {
      const [isAllowed, remaining, resetMs, retryAfterMs] = (await run(key)) as [number, number, string, string];
      return {
        isAllowed: isAllowed === 1,
        limit: rate.limit,
        remaining,
        resetMs: Number(resetMs),
        retryAfterMs: Number(retryAfterMs),
      };
    },
  };
}
