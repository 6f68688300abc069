-- KEYS: state, index, keys, then each unit's organization. ARGV: epoch, channel, up_to (empty: not yet), then for each
-- unit: organization, id, revision, JSON, digest (empty: no key), 1 or 0 (a tombstone).
-- Gives 0 when the feed has another epoch.
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then
  return 0
end
for n = 1, #KEYS - 3 do
  local at = 4 + (n - 1) * 6
  local organization, id, revision, json, digest, alive =
    ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4], ARGV[at + 5]
  local member = organization .. '/' .. id
  local known = redis.call('ZSCORE', KEYS[2], member)
  if not known or tonumber(known) <= tonumber(revision) then
    redis.call('ZADD', KEYS[2], revision, member)
    redis.call('HSET', KEYS[3 + n], id, json)
    if digest ~= '' then
      if alive == '1' then
        redis.call('HSET', KEYS[3], digest, organization)
      else
        redis.call('HDEL', KEYS[3], digest)
      end
    end
  end
end
if ARGV[3] ~= '' then
  if tonumber(redis.call('HGET', KEYS[1], 'revision') or '0') < tonumber(ARGV[3]) then
    redis.call('HSET', KEYS[1], 'revision', ARGV[3])
  end
  redis.call('PUBLISH', ARGV[2], ARGV[3])
end
return 1
