import { randomUUID } from 'node:crypto';
import type { RedisClient } from '@zai2api/runtime';
import { BUDGET_WINDOW_MS, MAX_CLOCK_SKEW_MS, type MintBudget } from './mint-budget.ts';

/**
 * Books mints.
 *
 * KEYS[1]  sorted set of the mints, by time; a member begins with its time
 * ARGV[1]  now, in ms
 * ARGV[2]  length of the window, in ms
 * ARGV[3]  most mints of a window
 * ARGV[4]  wanted mints
 * ARGV[5]  begin of the new members, unique
 * ARGV[6]  how far ahead of now a mint may be, in ms
 * ARGV[7…] members that the caller knows of, in case Redis has lost them
 *
 * Returns how many mints were booked.
 */
const bookScript = `
local now = tonumber(ARGV[1])
local begin = now - tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', begin)
-- Noted by a clock that was ahead, unless it is the caller's that is behind.
local time = redis.call('TIME')
local latest = math.max(now, time[1] * 1000) + tonumber(ARGV[6])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '(' .. string.format('%.0f', latest), '+inf')
for i = 7, #ARGV do
  local at = tonumber(string.match(ARGV[i], '^%d+'))
  if at > begin and at <= latest then redis.call('ZADD', KEYS[1], 'NX', at, ARGV[i]) end
end
local free = tonumber(ARGV[3]) - redis.call('ZCARD', KEYS[1])
local booked = math.max(0, math.min(tonumber(ARGV[4]), free))
for i = 1, booked do
  redis.call('ZADD', KEYS[1], now, ARGV[5] .. ':' .. i)
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return booked
`;

/**
 * The budget of all replicas that share a Redis. What this process booked itself is kept in memory too: a Redis that comes back empty does
 * not make the cap start anew. Rejects when Redis does not answer.
 */
export function createRedisMintBudget(options: { commands: RedisClient; prefix: string }): MintBudget {
  const { commands } = options;
  const key = `{${options.prefix}:refresher}:mints`;
  let own: string[] = [];
  const timeOf = (member: string): number => Number.parseInt(member, 10);
  const pruneOwn = (nowMs: number): void => {
    own = own.filter(
      (member) => timeOf(member) > nowMs - BUDGET_WINDOW_MS && timeOf(member) <= nowMs + MAX_CLOCK_SKEW_MS,
    );
  };

  return {
    async recent(nowMs) {
      pruneOwn(nowMs);
      const shared = await commands.zrangebyscore(key, `(${nowMs - BUDGET_WINDOW_MS}`, nowMs + MAX_CLOCK_SKEW_MS);
      return [...new Set([...shared, ...own])].map(timeOf).sort((one, other) => one - other);
    },
    async book({ count, mostPerHour, nowMs }) {
      pruneOwn(nowMs);
      const begin = `${Math.floor(nowMs)}:${randomUUID()}`;
      const booked = Number(
        await commands.eval(
          bookScript,
          1,
          key,
          nowMs,
          BUDGET_WINDOW_MS,
          mostPerHour,
          count,
          begin,
          MAX_CLOCK_SKEW_MS,
          ...own,
        ),
      );
      own.push(...Array.from({ length: booked }, (_, index) => `${begin}:${index + 1}`));
      return booked;
    },
  };
}
