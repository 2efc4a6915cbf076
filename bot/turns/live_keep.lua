#!lua
-- Publish a snapshot and keep it as its turn's newest: KEYS = kept, kept_at; ARGV = channel, turn, number, message,
-- keep ms. A number that is not above the one that is kept changes nothing.
local kept, kept_at = KEYS[1], KEYS[2]
local channel, turn, number, message, keep_ms = unpack(ARGV)
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)

for _, old in ipairs(redis.call('ZRANGE', kept_at, '-inf', now_ms - keep_ms, 'BYSCORE', 'LIMIT', 0, 100)) do
  redis.call('HDEL', kept, old)
  redis.call('ZREM', kept_at, old)
end
local standing = redis.call('HGET', kept, turn)
if standing and tonumber(string.match(standing, '^(%d+) ')) >= tonumber(number) then return end
redis.call('HSET', kept, turn, number .. ' ' .. message)
redis.call('ZADD', kept_at, now_ms, turn)
redis.call('PEXPIRE', kept, keep_ms)
redis.call('PEXPIRE', kept_at, keep_ms)
redis.call('PUBLISH', channel, message)
