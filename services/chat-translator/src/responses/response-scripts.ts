import { createHash } from 'node:crypto';
import type { RedisClient } from '@zai2api/credentials';

/** A script with what it is called by once the server knows it. */
export interface Script {
  readonly lua: string;
  readonly digest: string;
}

const scriptOf = (lua: string): Script => ({ lua, digest: createHash('sha1').update(lua).digest('hex') });

// All scripts of a response get KEYS: record, events, alive; and ARGV 1: the channel of news.

/** Else 0 when somebody has taken it, and -1 when it is not there: the server lost its memory. */
const isOwn = `
local owner, state = unpack(redis.call('HMGET', KEYS[1], 'owner', 'state'))
if not owner then return -1 end
if owner ~= ARGV[2] or state ~= 'running' then return 0 end
`;
/** Adds a batch unless its last event is there already: what was sent twice is kept once. */
const add = `
local function lastId()
  local entry = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
  return entry and tonumber(string.match(entry[1], '^%d+')) or 0
end
local function add(id, first, text)
  if tonumber(id) <= lastId() then return end
  redis.call('XADD', KEYS[2], id .. '-0', 'f', first, 't', text)
  redis.call('HINCRBY', KEYS[1], 'bytes', #text)
end
`;
const size = `
local function size()
  return tonumber(redis.call('HGET', KEYS[1], 'bytes')) + redis.call('HSTRLEN', KEYS[1], 'response')
end
`;
const keep = `
local function keep(ttl)
  redis.call('PEXPIRE', KEYS[1], ttl)
  redis.call('PEXPIRE', KEYS[2], ttl)
end
`;

/** What happens to a response in Redis, each in one step. */
export const scripts = {
  /** ARGV: owner, TTL, alive time, tenant, state, response, input, then id, first number and text of its events, if it has any. Returns its size. */
  begin: scriptOf(`${add}${keep}${size}
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[1], 'owner', ARGV[2], 'tenant', ARGV[5], 'state', ARGV[6], 'response', ARGV[7], 'input', ARGV[8], 'streamed', #ARGV > 8 and 1 or 0, 'bytes', #ARGV[8])
if #ARGV > 8 then add(ARGV[9], ARGV[10], ARGV[11]) end
if ARGV[6] == 'running' then redis.call('SET', KEYS[3], ARGV[2], 'PX', ARGV[4]) end
keep(ARGV[3])
return size()`),
  /** ARGV: owner, id, first number and text of the events, then the response if it has changed. */
  append: scriptOf(`${isOwn}${add}
add(ARGV[3], ARGV[4], ARGV[5])
if #ARGV > 5 then redis.call('HSET', KEYS[1], 'response', ARGV[6]) end
redis.call('PUBLISH', ARGV[1], '')
return 1`),
  /** ARGV: owner, TTL, response, then id, first number and text of the last events, if it has any. Returns its size, or what `isOwn` says. */
  finish: scriptOf(`${isOwn}${add}${keep}${size}
if #ARGV > 4 then add(ARGV[5], ARGV[6], ARGV[7]) end
redis.call('HSET', KEYS[1], 'state', 'over', 'response', ARGV[4])
redis.call('DEL', KEYS[3])
keep(ARGV[3])
redis.call('PUBLISH', ARGV[1], '')
return size()`),
  /** ARGV: owner, TTL, alive time. */
  renew: scriptOf(`${isOwn}${keep}
redis.call('SET', KEYS[3], ARGV[2], 'PX', ARGV[4])
keep(ARGV[3])
return 1`),
  /** ARGV: tenant, TTL, response, the last event before and after its number, 1 if only a dead one is to be ended. Returns the owner, or nil. */
  conclude: scriptOf(`${add}${keep}
local owner, tenant, state = unpack(redis.call('HMGET', KEYS[1], 'owner', 'tenant', 'state'))
if tenant ~= ARGV[2] or state ~= 'running' then return false end
if ARGV[7] == '1' and redis.call('EXISTS', KEYS[3]) == 1 then return false end
local number = lastId()
redis.call('XADD', KEYS[2], (number + 1) .. '-0', 'f', number, 't', ARGV[5] .. number .. ARGV[6])
redis.call('HSET', KEYS[1], 'state', 'over', 'response', ARGV[4], 'streamed', 1)
redis.call('DEL', KEYS[3])
keep(ARGV[3])
redis.call('PUBLISH', ARGV[1], '')
return owner`),
  /** ARGV: tenant. Returns state, whether it is alive, response, whether it is streamed; or nil. */
  read: scriptOf(`
local tenant, state, response, streamed = unpack(redis.call('HMGET', KEYS[1], 'tenant', 'state', 'response', 'streamed'))
if tenant ~= ARGV[2] then return false end
return { state, redis.call('EXISTS', KEYS[3]), response, tonumber(streamed) }`),
  /** ARGV: tenant. */
  readInput: scriptOf(`
local tenant, input = unpack(redis.call('HMGET', KEYS[1], 'tenant', 'input'))
if tenant ~= ARGV[2] then return false end
return input`),
  /** ARGV: id from which on, highest number of batches. Returns state, whether it is alive, then first number, id and text of each batch. */
  readEvents: scriptOf(`
local state = redis.call('HGET', KEYS[1], 'state')
if not state or state == 'deleted' then return false end
local answer = { state, redis.call('EXISTS', KEYS[3]) }
for _, entry in ipairs(redis.call('XRANGE', KEYS[2], ARGV[2], '+', 'COUNT', ARGV[3])) do
  table.insert(answer, entry[2][2])
  table.insert(answer, entry[1])
  table.insert(answer, entry[2][4])
end
return answer`),
  /** ARGV: tenant, how long its owner may still ask for it. Returns the owner of one that was running, '' for another one, or nil. */
  remove: scriptOf(`
local owner, tenant, state = unpack(redis.call('HMGET', KEYS[1], 'owner', 'tenant', 'state'))
if tenant ~= ARGV[2] then return false end
redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
redis.call('HSET', KEYS[1], 'owner', owner, 'state', 'deleted')
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PUBLISH', ARGV[1], '')
return state == 'running' and owner or ''`),
  /** Takes out one that is over, whoever made it. */
  drop: scriptOf(`
if redis.call('HGET', KEYS[1], 'state') == 'running' and redis.call('EXISTS', KEYS[3]) == 1 then return 0 end
redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
return 1`),
} as const;

/** KEYS: ends, sizes. ARGV: id, bytes, or 0 for one that is gone, TTL, limit. Returns the ids of those that have to go, oldest first. */
export const countScript = scriptOf(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function forget(id)
  local bytes = redis.call('HGET', KEYS[2], id)
  if not bytes then return end
  redis.call('ZREM', KEYS[1], id)
  redis.call('HDEL', KEYS[2], id)
  redis.call('HINCRBY', KEYS[2], '', -bytes)
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 1000)) do forget(id) end
forget(ARGV[1])
local gone = {}
if ARGV[2] ~= '0' then
  redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
  local total = redis.call('HINCRBY', KEYS[2], '', ARGV[2])
  while total > tonumber(ARGV[4]) do
    local oldest = redis.call('ZRANGE', KEYS[1], 0, 0)[1]
    if oldest == ARGV[1] or not oldest then break end
    forget(oldest)
    table.insert(gone, oldest)
    total = tonumber(redis.call('HGET', KEYS[2], ''))
  end
  for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[3]) end
end
return gone`);

/** Runs a script by its digest, or whole on a server that does not know it yet. */
export async function runScript(
  commands: RedisClient,
  { digest, lua }: Script,
  keys: readonly string[],
  values: readonly (string | number)[],
): Promise<unknown> {
  try {
    return await commands.evalsha(digest, keys.length, ...keys, ...values);
  } catch (error) {
    // A server that was restarted, or that nobody has used yet.
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return commands.eval(lua, keys.length, ...keys, ...values);
  }
}
