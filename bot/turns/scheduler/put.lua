#!lua
-- Make chats takeable: ARGV = chat, weight, chat, weight, ... Idempotent, never refuses.
for i = 1, #ARGV, 2 do
  local chat, share = ARGV[i], ARGV[i + 1]
  -- Only an unusual weight costs memory.
  if tonumber(share) == 1 then redis.call('HDEL', weight, chat) else redis.call('HSET', weight, chat, share) end
  if redis.call('ZSCORE', lease, chat) or redis.call('ZSCORE', later, chat) then
    redis.call('SADD', more, chat)
  else
    offer(chat)
  end
end
