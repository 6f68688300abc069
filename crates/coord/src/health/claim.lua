-- KEYS: the claim. ARGV: milliseconds it lasts. Gives how long another's lasts yet, zero when this one is made.
if redis.call('SET', KEYS[1], '1', 'NX', 'PX', ARGV[1]) then
  return 0
end
return math.max(redis.call('PTTL', KEYS[1]), 1)
