-- Keeps entries. What has expired does not count any longer, and what has the least time left goes when there is no room.
-- The index holds `size:key` by the time of expiry; the total is the sum of its sizes. Returns how many were too large.
local index, total = KEYS[1], KEYS[2]
local prefix = ARGV[1]
local ttl, room, overhead = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])

local function drop(member)
    local size, key = string.match(member, '^(%d+):(.+)$')
    if redis.call('ZREM', index, member) == 1 then
        redis.call('DECRBY', total, size)
    end
    redis.call('DEL', prefix .. key)
end

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
for _, member in ipairs(redis.call('ZRANGEBYSCORE', index, '-inf', now, 'LIMIT', 0, 1000)) do
    drop(member)
end

local function keep(entry, key, value)
    local known = redis.call('STRLEN', entry)
    if known > 0 then
        drop((known + overhead) .. ':' .. key)
    end
    local size = #value + overhead
    if size > room then
        return 1
    end
    while tonumber(redis.call('GET', total) or '0') + size > room do
        local first = redis.call('ZRANGE', index, 0, 0)[1]
        if not first then
            redis.call('DEL', total)
            break
        end
        drop(first)
    end
    redis.call('SET', entry, value, 'PX', ttl)
    redis.call('ZADD', index, now + ttl, size .. ':' .. key)
    redis.call('INCRBY', total, size)
    return 0
end

local refused = 0
for place = 3, #KEYS do
    local argument = 5 + (place - 3) * 2
    refused = refused + keep(KEYS[place], ARGV[argument], ARGV[argument + 1])
end
-- Both last as long as the last entry.
for _, key in ipairs({index, total}) do
    if redis.call('PTTL', key) < ttl then
        redis.call('PEXPIRE', key, ttl)
    end
end
return refused
