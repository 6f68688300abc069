-- KEYS: standing. ARGV: channel, subject, text, whether it stands, milliseconds after which all of it is forgotten.
if ARGV[4] == '1' then
  redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
  redis.call('PEXPIRE', KEYS[1], ARGV[5])
else
  redis.call('HDEL', KEYS[1], ARGV[2])
end
return redis.call('PUBLISH', ARGV[1], ARGV[3])
