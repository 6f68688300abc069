-- KEYS: organizations that are to be seeded. ARGV: channel, organization.
redis.call('SADD', KEYS[1], ARGV[2])
return redis.call('PUBLISH', ARGV[1], ARGV[2])
