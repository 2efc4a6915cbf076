#!lua flags=allow-oom
-- Raise the token counter: ARGV = token.
local token = math.max(tonumber(redis.call('HGET', meta, 'token') or 0), tonumber(ARGV[1]))
redis.call('HSET', meta, 'token', string.format('%.0f', token))
