import { sharedLua } from './shared.ts';

/**
 * Gives a slot back with what was learned about the credential. Of a lease that does not hold any more it changes nothing.
 *
 * ARGV[3]  id of the lease
 * ARGV[4]  'good', 'busy', 'challenged' or 'dead'
 * ARGV[5]  ms of rest for 'busy' and 'challenged'
 * returns  1, or 0 when the lease does not hold
 */
export const releaseLeaseLua = String.raw`${sharedLua}
local id, entry, digest = detach(ARGV[3])
if id then
  local result, untilMs = ARGV[4], now + tonumber(ARGV[5])
  if result == 'dead' and not entry.removed and digest == entry.digest then
    takeOut(id, entry)
  else
    if RESTING[result] and (not entry.rest or entry.restUntil < untilMs) then
      entry.rest, entry.restUntil = result, untilMs
    end
    save(id, entry)
  end
  changed = true
end
tell()
return id and 1 or 0
`;

/**
 * Moves the deadline of a lease that holds. One that does not hold any more takes its slot again, if there is a free one.
 *
 * ARGV[3]  id of the lease
 * ARGV[4]  ms from now
 * ARGV[5]  its fence   ARGV[6]  SHA-1 digest of its token   ARGV[7]  id of its credential
 * returns  1, or 0 when the slot is somebody else's
 */
export const renewLeaseLua = String.raw`${sharedLua}
local function take()
  if redis.call('ZSCORE', leases, ARGV[3]) then return true end
  local entry = load(ARGV[7])
  -- Nobody can be given what is not there.
  if not entry then return true, true end
  if entry.running >= entry.limit then return false end
  entry.running = entry.running + 1
  save(ARGV[7], entry)
  redis.call('HSET', holders, ARGV[3], string.format('%s %s %s', ARGV[5], ARGV[6], ARGV[7]))
  return true
end
local isHeld, isGone = take()
if isHeld and not isGone then redis.call('ZADD', leases, now + tonumber(ARGV[4]), ARGV[3]) end
tell()
return isHeld and 1 or 0
`;
