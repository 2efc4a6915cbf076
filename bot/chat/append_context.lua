#!lua
-- Add one exchange to the context it follows, or change nothing.
-- KEYS = head, log; ARGV = expected version, expected beginning, new version, ord, sealed exchange, time to live in ms.
local head, log = KEYS[1], KEYS[2]
local found = redis.call('HMGET', head, 'version', 'from', 'count', 'last')
if found[1] ~= ARGV[1] or found[2] ~= ARGV[2] then return 0 end
if tonumber(found[3]) ~= redis.call('LLEN', log) then return 0 end
if tonumber(ARGV[4]) <= tonumber(found[4]) then return 0 end
local count = redis.call('RPUSH', log, ARGV[5])
redis.call('HSET', head, 'version', ARGV[3], 'count', count, 'last', ARGV[4])
redis.call('PEXPIRE', head, ARGV[6])
redis.call('PEXPIRE', log, ARGV[6])
return 1
