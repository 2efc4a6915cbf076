#!lua flags=no-writes
-- Count the chats in each state: {ready, leased, later, held, paused}.
return {
  redis.call('ZCARD', ready),
  redis.call('ZCARD', lease),
  redis.call('ZCARD', later),
  redis.call('SCARD', hold),
  redis.call('HEXISTS', meta, 'paused'),
}
