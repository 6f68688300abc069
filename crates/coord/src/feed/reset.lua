-- KEYS: state. ARGV: source, complete_at, channel. Gives the epoch before (or an empty text) and the one that begins.
local time = redis.call('TIME')
local before = redis.call('HGET', KEYS[1], 'epoch')
-- Named after the moment: an emptied Redis must not give the same name again.
local epoch = ARGV[1] .. '.' .. time[1] .. string.format('%06d', time[2])
redis.call('HSET', KEYS[1], 'source', ARGV[1], 'epoch', epoch, 'revision', '0', 'complete_at', ARGV[2])
redis.call('PUBLISH', ARGV[3], '0')
return { before or '', epoch }
