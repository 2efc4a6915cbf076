#!lua
-- Name a new life of the schedule unless one stands: ARGV = name. Answers the name that stands.
if redis.call('HSETNX', meta, 'epoch', ARGV[1]) == 1 then
  tell('epoch', '', '')
  ring(redis.call('ZCARD', ready))
end
return redis.call('HGET', meta, 'epoch')
