#!lua flags=allow-oom
-- End a lease and charge it: ARGV = chat, token, outcome, delay ms. Answers 1, or 0 when it was lost.
local chat, token, outcome, delay_ms = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
if not mine(chat, token) then return 0 end
free(chat, now_ms)
if outcome == 'later' then
  redis.call('ZADD', later, now_ms + delay_ms, chat)
elseif redis.call('SREM', more, chat) == 1 or outcome == 'again' then
  offer(chat)
else
  leave(chat)
end
settle()
tell(outcome, chat, token)
return 1
