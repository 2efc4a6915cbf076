#!lua
-- Remember one unaddressed message; the answer names the messages that are too many now.
-- KEYS = index, deaf mark, message; ARGV = name, when in us, sealed message, most, time to live in ms.
if redis.call('EXISTS', KEYS[2]) == 1 then return {} end
redis.call('SET', KEYS[3], ARGV[3], 'PX', ARGV[5])
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
local many = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[4])
if many <= 0 then return {} end
local gone = redis.call('ZRANGE', KEYS[1], 0, many - 1)
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, many - 1)
return gone
