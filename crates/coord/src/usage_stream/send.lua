-- KEYS: stream, acked. ARGV: most entries, node, batch. Gives 0 when there is no room: trimming would lose what nobody has
-- read; and the number up to which the node's records are in the database, where one is known.
local acked = redis.call('HGET', KEYS[2], ARGV[2])
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[1]) then
  return { 0, acked }
end
redis.call('XADD', KEYS[1], '*', 'batch', ARGV[3])
return { 1, acked }
