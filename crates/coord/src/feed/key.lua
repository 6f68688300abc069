-- KEYS: state. ARGV: what all names start with, digest, id of the unit.
-- Gives nothing when the feed cannot tell, else the unit's JSON or an empty text.
local state = redis.call('HMGET', KEYS[1], 'epoch', 'revision', 'complete_at')
if not (state[1] and state[2] and state[3]) or tonumber(state[2]) < tonumber(state[3]) then
  return false
end
local base = ARGV[1] .. state[1]
local organization = redis.call('HGET', base .. ':keys', ARGV[2])
if not organization then
  return ''
end
return redis.call('HGET', base .. ':organization:' .. organization, ARGV[3]) or ''
