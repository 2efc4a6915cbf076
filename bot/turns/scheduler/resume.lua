#!lua flags=allow-oom
-- Let chats be taken again.
if redis.call('HDEL', meta, 'paused') == 1 then
  tell('resumed')
  ring(redis.call('ZCARD', ready))
end
