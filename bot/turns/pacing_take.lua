#!lua
-- Take one call out of every bucket, or out of none (adapters/pacing.py has the same arithmetic in Python).
-- KEYS = three penalties (conversation, account, platform), then the buckets.
-- ARGV = priority's rank (0 is the highest), grace us, calm us, then for each bucket its interval us and slack us.
-- Answers {wait us, number of the key that asks for it}; {0, 0} where the call goes.
-- Numbers go in and out as '%.0f': Lua's own way of writing them would round instants in microseconds.
local rank, grace, calm = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local penalties = 3

local function whole(number) return string.format('%.0f', number) end

local function read(key, field) return tonumber(redis.call('HGET', key, field) or '0') end

-- Two seconds more than the state matters: whoever stands back for another may be waited for in turn.
local function keep(key, until_us)
  redis.call('PEXPIRE', key, whole(math.max(1, math.ceil((until_us - now) / 1000) + 2000)))
end

local longest, by = 0, 0
local function ask(wait, number)
  if wait > longest then longest, by = wait, number end
end

local held = {}
for number = 1, penalties do
  local calm_us = read(KEYS[number], 'calm')
  if calm_us > now then
    held[number] = calm_us
    local may_try = rank == 0 and read(KEYS[number], 'tried') == 0
    ask((may_try and read(KEYS[number], 'until') or calm_us) - now, number)
  end
end

for number = penalties + 1, #KEYS do
  local key, slack = KEYS[number], tonumber(ARGV[3 + 2 * (number - penalties)])
  local paid = read(key, 'paid')
  local wait = math.max(0, paid - slack - now)
  for above = 0, rank - 1 do wait = math.max(wait, read(key, 'want' .. above) - now) end
  if wait > 0 then
    local wanted = math.max(read(key, 'want' .. rank), now + wait + grace)
    redis.call('HSET', key, 'want' .. rank, whole(wanted))
    keep(key, math.max(paid, wanted))
  end
  ask(wait, number)
end
if longest > 0 then return {longest, by} end

for number = penalties + 1, #KEYS do
  local key, interval = KEYS[number], tonumber(ARGV[2 + 2 * (number - penalties)])
  local paid = math.max(read(key, 'paid'), now) + interval
  redis.call('HSET', key, 'paid', whole(paid))
  redis.call('HDEL', key, 'want' .. rank)
  keep(key, paid)
end
for number, calm_us in pairs(held) do
  local ends = math.max(calm_us, now + calm)
  redis.call('HSET', KEYS[number], 'tried', 1, 'calm', whole(ends))
  keep(KEYS[number], ends)
end
return {0, 0}
