-- Writes what the ledger has, as long as the organization is not seeded; the last piece says that it is.
-- KEYS: the mark that it is seeded, then the counter of each seed. ARGV: whether this is the last piece, how much longer
-- than needed counters last; for each seed its part, what was spent, and until when and for how long it may be asked for.
-- Returns 1, or 0 where it is seeded already.
if redis.call('EXISTS', KEYS[1]) == 1 then
    return 0
end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
for place = 2, #KEYS do
    local argument = 3 + (place - 2) * 4
    local part, spent = ARGV[argument], ARGV[argument + 1]
    local kept_until, kept_for = tonumber(ARGV[argument + 2]), tonumber(ARGV[argument + 3])
    redis.call('HSET', KEYS[place], 's' .. part, spent)
    if kept_until > 0 or kept_for > 0 then
        local expires = math.max(now, kept_until, now + kept_for) + tonumber(ARGV[2])
        redis.call('PEXPIREAT', KEYS[place], string.format('%.0f', expires))
    end
end
if ARGV[1] == '1' then
    redis.call('SET', KEYS[1], '1')
end
return 1
