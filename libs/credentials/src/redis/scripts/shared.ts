/**
 * Beginning of every script: names for the keys, the clock, and what keeps the indexes true. It settles first whatever is due.
 *
 * KEYS     as in `poolKeysOf`
 * ARGV[1]  milliseconds since the epoch, or '' for the clock of the server, which all processes share
 * ARGV[2]  the channel
 *
 * An entry is { kind, limit, expires, digest, running, lastFence } and maybe { rest, restUntil } (rest: 'busy' or 'challenged'), removed
 * (taken out while leases ran) and home (the number of the index key that holds it). Its place follows from the rest of it: `save` sees to it.
 */
export const sharedLua = String.raw`
local meta, credentials, entries, leases, holders = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local expired = KEYS[6]
local KINDS = { 'user', 'guest' }
-- Numbers of index keys by kind.
local READY = { user = 7, guest = 8 }
local RESTING = { busy = { user = 9, guest = 10 }, challenged = { user = 11, guest = 12 } }
local LIVE = { user = 13, guest = 14 }
-- More than any fence, so that the number of leases weighs more; 1000 times this is still exact in a double.
local BUSIER = 4398046511104
local changed, demanded = false, false

local function clock()
  if ARGV[1] ~= '' then return tonumber(ARGV[1]) end
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
local now = clock()

local function load(id)
  local text = redis.call('HGET', entries, id)
  return text and cjson.decode(text) or nil
end

local function homeOf(entry)
  if entry.removed or tonumber(entry.expires) <= now then return nil end
  if entry.rest then return RESTING[entry.rest][entry.kind], entry.restUntil end
  if entry.running < entry.limit then
    return READY[entry.kind], entry.running * BUSIER + entry.lastFence
  end
  return nil
end

local function save(id, entry)
  local home, score = homeOf(entry)
  if entry.home and entry.home ~= home then redis.call('ZREM', KEYS[entry.home], id) end
  if home then redis.call('ZADD', KEYS[home], score, id) end
  entry.home = home
  if entry.removed and entry.running == 0 then
    redis.call('HDEL', entries, id)
  else
    redis.call('HSET', entries, id, cjson.encode(entry))
  end
end

-- Ends a lease. Gives the id and the unsaved entry of its credential and the digest of the token it ran with; nil when there is no such lease.
local function detach(leaseId)
  local holder = redis.call('HGET', holders, leaseId)
  if not holder then return nil end
  redis.call('HDEL', holders, leaseId)
  redis.call('ZREM', leases, leaseId)
  local digest, id = string.match(holder, '^%d+ (%x+) (.*)$')
  local entry = load(id)
  if not entry then return nil end
  entry.running = entry.running - 1
  return id, entry, digest
end

local function takeOut(id, entry)
  entry.removed = true
  entry.rest, entry.restUntil = nil, nil
  redis.call('ZREM', KEYS[LIVE[entry.kind]], id)
  redis.call('ZREM', expired, id)
  redis.call('HDEL', credentials, id)
  save(id, entry)
  demanded = true
end

local function tell()
  if changed or demanded then
    redis.call('PUBLISH', ARGV[2], (changed and 'changed ' or '') .. (demanded and 'demand' or ''))
  end
end

-- Leases past their deadline give their slot back, rests that are over end, and what has expired is set aside.
for _, leaseId in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', now)) do
  local id, entry = detach(leaseId)
  if id then save(id, entry) end
  changed = true
end
for _, kind in ipairs(KINDS) do
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[LIVE[kind]], '-inf', now)) do
    local entry = load(id)
    redis.call('ZREM', KEYS[LIVE[kind]], id)
    redis.call('ZADD', expired, entry.expires, id)
    save(id, entry)
  end
  for _, homes in pairs(RESTING) do
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[homes[kind]], '-inf', now)) do
      local entry = load(id)
      entry.rest, entry.restUntil = nil, nil
      save(id, entry)
      changed = true
    end
  end
end
`;
