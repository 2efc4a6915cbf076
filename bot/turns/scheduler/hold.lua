#!lua
-- Keep one chat from being taken: ARGV = chat. A ready one is remembered.
local chat = ARGV[1]
if redis.call('SADD', hold, chat) == 1 then tell('held', chat) end
if redis.call('ZREM', ready, chat) == 1 then redis.call('SADD', more, chat) end
