-- Keeps an entry. What has expired does not count any longer, and the oldest go when there is no room.
-- The index holds `size:id` by time; the total is the sum of its sizes.
local entry, index, total = KEYS[1], KEYS[2], KEYS[3]
local value, id, prefix = ARGV[1], ARGV[2], ARGV[3]
local ttl, room, overhead = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])

local function drop(member)
    local size, old = string.match(member, '^(%d+):(.+)$')
    if redis.call('ZREM', index, member) == 1 then
        redis.call('DECRBY', total, size)
    end
    redis.call('DEL', prefix .. old)
end

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
for _, member in ipairs(redis.call('ZRANGEBYSCORE', index, '-inf', now - ttl, 'LIMIT', 0, 1000)) do
    drop(member)
end
local known = redis.call('STRLEN', entry)
if known > 0 then
    drop((known + overhead) .. ':' .. id)
end

local size = #value + overhead
if size > room then
    return 0
end
while tonumber(redis.call('GET', total) or '0') + size > room do
    local oldest = redis.call('ZRANGE', index, 0, 0)[1]
    if not oldest then
        redis.call('DEL', total)
        break
    end
    drop(oldest)
end

redis.call('SET', entry, value, 'PX', ttl)
redis.call('ZADD', index, now, size .. ':' .. id)
redis.call('INCRBY', total, size)
redis.call('PEXPIRE', index, ttl)
redis.call('PEXPIRE', total, ttl)
return 1
