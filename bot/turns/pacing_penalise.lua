#!lua
-- Take note of a 429. KEYS = the penalty; ARGV = microseconds asked for, calm us.
local key, asked, calm = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local until_us = math.max(tonumber(redis.call('HGET', key, 'until') or '0'), now + asked)
redis.call('HSET', key, 'until', string.format('%.0f', until_us), 'tried', 0,
  'calm', string.format('%.0f', until_us + calm))
redis.call('PEXPIRE', key, string.format('%.0f', math.ceil((until_us + calm - now) / 1000) + 2000))
