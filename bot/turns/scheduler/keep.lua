#!lua flags=allow-oom
-- Renew a lease: ARGV = chat, token, lease ms. Answers 1, or 0 when it is lost.
local chat = ARGV[1]
if not mine(chat, ARGV[2]) then return 0 end
redis.call('ZADD', lease, 'XX', now_ms + tonumber(ARGV[3]), chat)
return 1
