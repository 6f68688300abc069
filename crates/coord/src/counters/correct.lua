-- Puts one part of a counter right.
-- KEYS: the mark that the organization is seeded, the counter. ARGV: how much longer than needed it lasts, its part, what
-- was spent, until when and for how long it may be asked for, and whether what is there already may be more.
-- Returns what was added, or nothing where the organization is not seeded.
if redis.call('EXISTS', KEYS[1]) == 0 then
    return false
end
local field, spent = 's' .. ARGV[2], tonumber(ARGV[3])
local before = tonumber(redis.call('HGET', KEYS[2], field) or '0')
if ARGV[6] == '1' then
    spent = math.max(spent, before)
end
redis.call('HSET', KEYS[2], field, string.format('%.0f', spent))
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local kept_until, kept_for = tonumber(ARGV[4]), tonumber(ARGV[5])
if kept_until == 0 and kept_for == 0 then
    redis.call('PERSIST', KEYS[2])
else
    local expires = math.max(now, kept_until, now + kept_for) + tonumber(ARGV[1])
    if redis.call('PTTL', KEYS[2]) < expires - now then
        redis.call('PEXPIREAT', KEYS[2], string.format('%.0f', expires))
    end
end
return spent - before
