-- What every step shares; put in front of each when the scheduler is constructed (design.md 5.1).
local ready, lease, own, later, more, fin, weight, meta, hold, wake, events = unpack(KEYS)
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)

-- Sweeps are bounded so that no step holds the server for long; the next take goes on.
local SWEEP = 100
local RINGS = 256
local EVENTS = 10000

local function score(key, chat)
  return tonumber(redis.call('ZSCORE', key, chat) or 0)
end

local function virtual_time()
  return tonumber(redis.call('HGET', meta, 'virtual') or 0)
end

local function tell(outcome, chat, token)
  redis.call('XADD', events, 'MAXLEN', '~', EVENTS, '*', 'outcome', outcome, 'chat', chat or '', 'token', token or '')
end

local function ring(times)
  for _ = 1, math.min(times, RINGS) do redis.call('LPUSH', wake, 1) end
  redis.call('LTRIM', wake, 0, RINGS - 1)
end

-- Make a chat takeable; a held one is remembered instead.
local function offer(chat)
  if redis.call('SISMEMBER', hold, chat) == 1 then
    redis.call('SADD', more, chat)
    return
  end
  local start = math.max(virtual_time(), score(fin, chat))
  if redis.call('ZADD', ready, 'NX', start, chat) == 1 then ring(1) end
end

-- A lease is kept as "token virtual_start taken_at_ms weight": %.17g gives every double back exactly.
local function held_by(chat)
  local held = redis.call('HGET', own, chat)
  if not held then return nil end
  -- A newer version may write more behind these. Where it writes something else the lease is lost, not the schedule.
  local token, start, at_ms, share = string.match(held, '^(%S+) (%S+) (%S+) (%S+)')
  start, at_ms, share = tonumber(start), tonumber(at_ms), tonumber(share)
  if not (start and at_ms and share) then return nil end
  return { token = token, start = start, at_ms = at_ms, weight = share }
end

local function mine(chat, token)
  local held = held_by(chat)
  return held ~= nil and held.token == token
end

-- End a lease and charge it: virtual start plus the slot-seconds it held over its weight. Virtual time moves with what
-- was served, too. Were it moved by starts alone, chats that ask for the first time would all start at the same instant
-- while a line of them stands: the oldest chat would come first, not who asked first, and who had asked before would
-- starve. Half the pace of a fair share never outruns who is always there.
local function free(chat, until_ms)
  local held = held_by(chat)
  redis.call('ZREM', lease, chat)
  redis.call('HDEL', own, chat)
  if not held then return end
  local held_s = math.max(0, until_ms - held.at_ms) / 1000
  local served = held_s / held.weight
  redis.call('ZADD', fin, held.start + served, chat)
  local busy = redis.call('ZCARD', ready) + redis.call('ZCARD', lease) + 1
  local virtual = virtual_time() + served / (2 * busy)
  redis.call('HSET', meta, 'virtual', string.format('%.17g', virtual))
  redis.call('ZREMRANGEBYSCORE', fin, '-inf', virtual)
end

-- A chat that leaves the schedule takes its weight along.
local function leave(chat)
  redis.call('HDEL', weight, chat)
end

-- When the busy period ends, virtual time steps up to the largest finish (Goyal, Vin, Cheng 1996, rule 2), which
-- makes every remembered finish worthless: nothing is left behind.
local function settle()
  if redis.call('ZCARD', ready) > 0 or redis.call('ZCARD', lease) > 0 then return end
  local last = redis.call('ZRANGE', fin, -1, -1, 'WITHSCORES')
  if last[2] then redis.call('HSET', meta, 'virtual', last[2]) end
  redis.call('DEL', fin)
end
