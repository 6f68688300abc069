-- KEYS: nodes, seen. ARGV: milliseconds of silence after which a node is forgotten. Gives the JSON of each node.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local answer = {}
for _, node in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. (now - ARGV[1]), '+inf')) do
  local json = redis.call('HGET', KEYS[1], node)
  if json then
    answer[#answer + 1] = json
  end
end
return answer
