#!lua flags=allow-oom
-- Let nothing be taken.
if redis.call('HSETNX', meta, 'paused', 1) == 1 then tell('paused') end
