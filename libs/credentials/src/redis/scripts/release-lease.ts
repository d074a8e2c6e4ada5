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
 * Moves the deadline of a lease that holds.
 *
 * ARGV[3]  id of the lease
 * ARGV[4]  ms from now
 * returns  1, or 0 when the lease does not hold
 */
export const renewLeaseLua = String.raw`${sharedLua}
tell()
if not redis.call('ZSCORE', leases, ARGV[3]) then return 0 end
redis.call('ZADD', leases, now + tonumber(ARGV[4]), ARGV[3])
return 1
`;
