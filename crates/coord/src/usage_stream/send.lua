-- KEYS: stream. ARGV: most entries, batch. Gives 0 when there is no room: trimming would lose what nobody has read.
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[1]) then
  return 0
end
redis.call('XADD', KEYS[1], '*', 'batch', ARGV[2])
return 1
