-- All of some counters at one moment, after the time in milliseconds.
local clock = redis.call('TIME')
local answer = {{string.format('%.0f', clock[1] * 1000 + math.floor(clock[2] / 1000))}}
for _, key in ipairs(KEYS) do
    answer[#answer + 1] = redis.call('HGETALL', key)
end
return answer
