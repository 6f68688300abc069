-- KEYS: stream, acked. ARGV: group, entry, node, number (empty: none).
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
redis.call('XDEL', KEYS[1], ARGV[2])
if ARGV[4] ~= '' and tonumber(redis.call('HGET', KEYS[2], ARGV[3]) or '-1') < tonumber(ARGV[4]) then
  redis.call('HSET', KEYS[2], ARGV[3], ARGV[4])
end
return 1
