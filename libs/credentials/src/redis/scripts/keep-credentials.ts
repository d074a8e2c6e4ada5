import { sharedLua } from './shared.ts';

/**
 * Adds a credential, or replaces the one of its id, whose running leases and rest stay.
 *
 * ARGV[3]  id           ARGV[4]  kind
 * ARGV[5]  concurrency  ARGV[6]  expiry in ms since the epoch, or 'inf'
 * ARGV[7]  the credential as JSON
 */
export const putCredentialLua = String.raw`${sharedLua}
local id = ARGV[3]
local entry = load(id) or { running = 0, lastFence = 0 }
entry.kind, entry.limit, entry.expires = ARGV[4], tonumber(ARGV[5]), ARGV[6]
entry.digest = redis.sha1hex(cjson.decode(ARGV[7]).token)
entry.removed = nil
redis.call('HSET', credentials, id, ARGV[7])
for _, key in ipairs({ expired, KEYS[LIVE.user], KEYS[LIVE.guest] }) do redis.call('ZREM', key, id) end
redis.call('ZADD', tonumber(entry.expires) > now and KEYS[LIVE[entry.kind]] or expired, entry.expires, id)
save(id, entry)
changed = true
tell()
return 1
`;

/**
 * Takes a credential out. Leases that run on it end by themselves, and count until then if it is put back.
 *
 * ARGV[3]  id
 */
export const removeCredentialLua = String.raw`${sharedLua}
local entry = load(ARGV[3])
if entry and not entry.removed then takeOut(ARGV[3], entry) end
changed = true
tell()
return 1
`;

/**
 * Takes out the idle credentials that expire by a moment.
 *
 * ARGV[3]  that moment in ms since the epoch, or '' for now
 * returns  { credential as JSON ... }
 */
export const retireExpiredLua = String.raw`${sharedLua}
local retired = {}
local by = ARGV[3] ~= '' and ARGV[3] or now
for _, key in ipairs({ expired, KEYS[LIVE.user], KEYS[LIVE.guest] }) do
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key, '-inf', by)) do
    local entry = load(id)
    if entry.running == 0 then
      retired[#retired + 1] = redis.call('HGET', credentials, id)
      entry.removed = true
      redis.call('ZREM', key, id)
      redis.call('HDEL', credentials, id)
      save(id, entry)
    end
  end
end
tell()
return retired
`;

/**
 * Sets how the supply is; those who wait must hear of it.
 *
 * ARGV[3]  the state   ARGV[4]  until when in ms since the epoch, or 'inf'   ARGV[5]  the reason
 */
export const setPoolStateLua = String.raw`${sharedLua}
redis.call('HSET', meta, 'state', ARGV[3], 'untilMs', ARGV[4], 'reason', ARGV[5])
changed = true
tell()
return 1
`;

/**
 * Counts the credentials by kind and state.
 *
 * returns  { ready, leased, cooling down, challenged, expired } of the users, then of the guests
 */
export const countCredentialsLua = String.raw`${sharedLua}
tell()
local counts = { user = { 0, 0, 0, 0, 0 }, guest = { 0, 0, 0, 0, 0 } }
for _, text in ipairs(redis.call('HVALS', entries)) do
  local entry = cjson.decode(text)
  if not entry.removed then
    local state = entry.running < entry.limit and 1 or 2
    if entry.rest then state = entry.rest == 'busy' and 3 or 4 end
    if tonumber(entry.expires) <= now then state = 5 end
    counts[entry.kind][state] = counts[entry.kind][state] + 1
  end
end
local reply = {}
for _, kind in ipairs(KINDS) do
  for _, count in ipairs(counts[kind]) do reply[#reply + 1] = count end
end
return reply
`;

/**
 * The ids of a kind that may be used.
 *
 * ARGV[3]  the kind
 */
export const listIdsLua = String.raw`${sharedLua}
tell()
return redis.call('ZRANGE', KEYS[LIVE[ARGV[3]]], 0, -1)
`;
