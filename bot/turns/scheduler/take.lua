#!lua
-- Take the ready chat with the smallest virtual start: ARGV = lease ms.
-- Answers {'erased'}, {'none'} or {'taken', chat, token, epoch}.
local epoch = redis.call('HGET', meta, 'epoch')
if not epoch then return { 'erased' } end

for _, chat in ipairs(redis.call('ZRANGE', later, '-inf', now_ms, 'BYSCORE', 'LIMIT', 0, SWEEP)) do
  redis.call('ZREM', later, chat)
  offer(chat)
end
local expired = redis.call('ZRANGE', lease, '-inf', now_ms, 'BYSCORE', 'LIMIT', 0, SWEEP, 'WITHSCORES')
for i = 1, #expired, 2 do
  local chat = expired[i]
  local held = held_by(chat)
  tell('expired', chat, held and held.token)
  -- The slot was held until the lease ended, not until somebody looked.
  free(chat, tonumber(expired[i + 1]))
  offer(chat)
end

local first = {}
if redis.call('HEXISTS', meta, 'paused') == 0 then first = redis.call('ZPOPMIN', ready) end
if #first == 0 then
  settle()
  -- Rings that lead to nothing would only wake workers in vain.
  redis.call('DEL', wake)
  return { 'none' }
end

local chat, start = first[1], first[2]
local micros = time[1] * 1000000 + time[2]
local token = math.max(tonumber(redis.call('HGET', meta, 'token') or 0) + 1, micros)
token = string.format('%.0f', token)
redis.call('HSET', meta, 'token', token)
if tonumber(start) > virtual_time() then redis.call('HSET', meta, 'virtual', start) end
-- Whoever takes the chat reads SQL afterwards, so what was put before needs no second look.
redis.call('SREM', more, chat)
redis.call('ZADD', lease, now_ms + tonumber(ARGV[1]), chat)
local share = redis.call('HGET', weight, chat) or '1'
redis.call('HSET', own, chat, string.format('%s %s %.0f %s', token, start, now_ms, share))
tell('taken', chat, token)
return { 'taken', chat, token, epoch }
