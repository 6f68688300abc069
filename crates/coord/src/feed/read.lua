-- KEYS: state, index. ARGV: epoch, after, limit, what an organization's name starts with.
-- Gives nothing when the feed has another epoch, else: up to where, 1 or 0 (there is more), JSON of each unit.
local state = redis.call('HMGET', KEYS[1], 'epoch', 'revision')
if state[1] ~= ARGV[1] or not state[2] then
  return false
end
local after, head = ARGV[2], state[2]
if tonumber(head) <= tonumber(after) then
  return { after, '0' }
end

local found = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. after, head, 'WITHSCORES', 'LIMIT', 0, ARGV[3])
local members, up_to, more = {}, head, '0'
if #found / 2 < tonumber(ARGV[3]) then
  for n = 1, #found, 2 do
    members[#members + 1] = found[n]
  end
else
  -- Many units may share the last revision: all of them, or the ones past the limit would never be read.
  local last = found[#found]
  for n = 1, #found, 2 do
    if found[n + 1] ~= last then
      members[#members + 1] = found[n]
    end
  end
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], last, last)) do
    members[#members + 1] = member
  end
  if redis.call('ZCOUNT', KEYS[2], '(' .. last, head) > 0 then
    up_to, more = last, '1'
  end
end

local answer = { up_to, more }
for _, member in ipairs(members) do
  local slash = string.find(member, '/', 1, true)
  local json = redis.call('HGET', ARGV[4] .. string.sub(member, 1, slash - 1), string.sub(member, slash + 1))
  if json then
    answer[#answer + 1] = json
  end
end
return answer
