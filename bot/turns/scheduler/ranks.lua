#!lua flags=no-writes
-- Tell how many ready chats come before each: ARGV = chats. Answers -1 for a chat that is not ready.
local ranks = {}
for at, chat in ipairs(ARGV) do
  ranks[at] = redis.call('ZRANK', ready, chat) or -1
end
return ranks
