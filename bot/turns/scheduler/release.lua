#!lua
-- End a hold: ARGV = chat. What was put meanwhile becomes ready, unless a lease or a delay still has it.
local chat = ARGV[1]
if redis.call('SREM', hold, chat) == 0 then return end
tell('released', chat)
if redis.call('ZSCORE', lease, chat) or redis.call('ZSCORE', later, chat) then return end
if redis.call('SREM', more, chat) == 1 then offer(chat) end
