import { sharedLua } from './shared.ts';

/**
 * Answers lease requests in their order: a user before a guest, then the least busy, then the longest unused. A lease id that holds already
 * is answered with its lease, so that a request may be sent twice.
 *
 * ARGV[3]  JSON: [{ id, leaseMs, waitMs, isNew, exclude: [credential id], kinds: [kind] }], id being the id of the lease to come; the kinds
 *          are the ones that will do, in the order of preference
 * ARGV[4]  when nobody waits for the answer any more, in ms since the epoch, or ''
 * returns  { now in ms, 'stale' } when that time has passed, else
 *          { now in ms, ms until something is due or -1, answer ... }, an answer being one of
 *          { 'granted', fence, credential as JSON }
 *          { 'refused', pool state, ms until the next try }
 *          { 'wait', ms until a resting credential is back or -1 }
 */
export const leaseCredentialsLua = String.raw`${sharedLua}
-- More than a century: what lasts longer lasts for ever.
local FOREVER = 4e12

local function excludedBy(request)
  local excluded = {}
  for _, id in ipairs(request.exclude) do excluded[id] = true end
  return excluded
end

-- The member with the lowest score that the request may use, of the indexes of its kinds.
local function first(homes, request, excluded)
  local best, lowest
  for _, kind in ipairs(request.kinds) do
    local found = redis.call('ZRANGE', KEYS[homes[kind]], 0, #request.exclude, 'WITHSCORES')
    for index = 1, #found, 2 do
      if not excluded[found[index]] then
        local score = tonumber(found[index + 1])
        if not best or score < lowest then best, lowest = found[index], score end
        break
      end
    end
  end
  return best, lowest
end

-- The preferred one of those with a free slot.
local function firstReady(request, excluded)
  for _, kind in ipairs(request.kinds) do
    local id = first(READY, { kinds = { kind }, exclude = request.exclude }, excluded)
    if id then return id end
  end
  return nil
end

local function grant(id, request)
  local entry = load(id)
  local fence = redis.call('HINCRBY', meta, 'fence', 1)
  if fence == 1 then
    -- A store that lost its memory goes on above the fences it gave out before.
    fence = math.max(1, now)
    redis.call('HSET', meta, 'fence', fence)
  end
  entry.running = entry.running + 1
  entry.lastFence = fence
  save(id, entry)
  redis.call('ZADD', leases, now + request.leaseMs, request.id)
  redis.call('HSET', holders, request.id, string.format('%.0f %s %s', fence, entry.digest, id))
  return { 'granted', fence, redis.call('HGET', credentials, id) }
end

-- The lease of this id, when it was given already and its answer was lost.
local function heldBy(request)
  local holder = redis.call('HGET', holders, request.id)
  if not holder then return nil end
  redis.call('ZADD', leases, now + request.leaseMs, request.id)
  local fence, id = string.match(holder, '^(%d+) %x+ (.*)$')
  local credential = redis.call('HGET', credentials, id)
  return credential and { 'granted', tonumber(fence), credential } or nil
end

-- Whether one that does not rest will have a free slot some time.
local function hasBusy(request)
  local count = 0
  for _, kind in ipairs(request.kinds) do
    count = count + redis.call('ZCARD', KEYS[LIVE[kind]])
    for _, homes in pairs(RESTING) do count = count - redis.call('ZCARD', KEYS[homes[kind]]) end
    for _, id in ipairs(request.exclude) do
      local entry = redis.call('ZSCORE', KEYS[LIVE[kind]], id) and load(id)
      if entry and not entry.rest then count = count - 1 end
    end
  end
  return count > 0
end

local function refuse(state, untilMs)
  return { 'refused', state, math.ceil(math.min(untilMs - now, FOREVER)) }
end

local function answer(request)
  local held = heldBy(request)
  if held then return held end
  local excluded = excludedBy(request)
  local id = firstReady(request, excluded)
  if id then return grant(id, request) end

  local _, coolUntil = first(RESTING.busy, request, excluded)
  local _, challengedUntil = first(RESTING.challenged, request, excluded)
  local backAt = math.min(coolUntil or math.huge, challengedUntil or math.huge)
  local wait = { 'wait', backAt < math.huge and math.ceil(backAt - now) or -1 }
  if not hasBusy(request) and backAt > now + request.waitMs then
    local pool = redis.call('HMGET', meta, 'state', 'untilMs')
    if pool[1] and pool[1] ~= 'ok' and tonumber(pool[2]) > now then return refuse(pool[1], tonumber(pool[2])) end
    if challengedUntil and not coolUntil then return refuse('challenged', challengedUntil) end
  end
  if request.isNew then demanded = true end
  return wait
end

if ARGV[4] ~= '' and now > tonumber(ARGV[4]) then
  tell()
  return { now, 'stale' }
end
local reply = { now, -1 }
for _, request in ipairs(cjson.decode(ARGV[3])) do reply[#reply + 1] = answer(request) end
tell()
local due = math.huge
local function lookAt(key)
  local next = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
  if next[2] then due = math.min(due, tonumber(next[2])) end
end
lookAt(leases)
for _, homes in pairs(RESTING) do
  for _, kind in ipairs(KINDS) do lookAt(KEYS[homes[kind]]) end
end
if due < math.huge then reply[2] = math.max(1, math.ceil(due - now)) end
return reply
`;
