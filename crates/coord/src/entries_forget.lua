-- Forgets an entry and gives its room back.
local entry, index, total = KEYS[1], KEYS[2], KEYS[3]
local id, overhead = ARGV[1], tonumber(ARGV[2])

local known = redis.call('STRLEN', entry)
if known == 0 then
    return
end
local size = known + overhead
redis.call('DEL', entry)
if redis.call('ZREM', index, size .. ':' .. id) == 1 then
    redis.call('DECRBY', total, size)
end
