-- KEYS: state. Gives source, epoch, revision and the revision at which the epoch is complete, or nothing.
local state = redis.call('HMGET', KEYS[1], 'source', 'epoch', 'revision', 'complete_at')
if not (state[1] and state[2] and state[3] and state[4]) then
  return false
end
return state
