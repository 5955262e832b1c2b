-- The rates of all nodes: one step, by the clock of Redis. Each operation may be repeated without a second effect, except `charge`.
--
-- KEYS: for each thing that is limited its bucket (requests, tokens, at, and the limits it was kept by) and the set of the requests that run (lease, with the
-- time at which it ends unless it is renewed).
--
-- Behind them, to take and to release, for each budget its account (settled, held, and what each lease holds) and the set of the
-- leases that hold something of it. An account knows at least what its node read in the database.
--
-- ARGV: the operation, then
--   take     lease, milliseconds of a lease, tokens, micro-dollars, how many things, for each thing: requests per minute, tokens
--            per minute, concurrent; for each budget: all of it, what the database says is settled
--   release  lease, tokens to give back, micro-dollars that were spent, how many things, and the same three for each thing
--   charge   nothing, and the same three for each thing
--   renew    milliseconds of a lease, and for each set of KEYS (here without buckets and accounts) the lease in it
--   hold     milliseconds of a lease, and for each account and set of KEYS the lease, what it has set aside, and what the database
--            said when it did

local MINUTE = 60000
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- What a bucket holds now; one that is not there is full.
local function fill(bucket, rate)
  local had = redis.call('HMGET', bucket, 'requests', 'tokens', 'at', 'of_requests', 'of_tokens')
  local requests, tokens, at = tonumber(had[1]), tonumber(had[2]), tonumber(had[3])
  if not at then
    return rate.requests, rate.tokens
  end
  -- What had no limit was not counted, and is full when it gets one.
  if had[4] == '0' then requests = rate.requests end
  if had[5] == '0' then tokens = rate.tokens end
  local share = math.max(0, now - at) / MINUTE
  return math.min(rate.requests, requests + share * rate.requests), math.min(rate.tokens, tokens + share * rate.tokens)
end

-- Writes a bucket. It may be forgotten as soon as it would be full.
local function keep(bucket, rate, requests, tokens)
  local lack = 0
  if rate.requests == 0 then requests = 0 end
  if rate.tokens == 0 then tokens = 0 end
  if rate.requests > 0 then lack = math.max(lack, (rate.requests - requests) / rate.requests) end
  if rate.tokens > 0 then lack = math.max(lack, (rate.tokens - tokens) / rate.tokens) end
  redis.call('HSET', bucket, 'requests', string.format('%.6f', requests), 'tokens', string.format('%.6f', tokens), 'at', now,
    'of_requests', rate.requests, 'of_tokens', rate.tokens)
  redis.call('PEXPIRE', bucket, math.ceil(lack * MINUTE) + 1000)
end

-- The rate of the n-th thing, in arguments that begin at `from`.
local function rate(n, from)
  local at = from + (n - 1) * 3
  return { requests = tonumber(ARGV[at]), tokens = tonumber(ARGV[at + 1]), concurrent = tonumber(ARGV[at + 2]) }
end

-- How long until a bucket holds what is wanted; a limit of 0 is none. What is larger than a whole minute waits for all of it.
local function lacks(wanted, has, most)
  wanted = math.min(wanted, most)
  if most > 0 and has < wanted then
    return (wanted - has) * MINUTE / most
  end
end

-- Accounts are made anew from the database when nobody has used them for so long.
local DAY = 86400000

local function number(text)
  return tonumber(text) or 0
end

-- What requests that run have set aside. What those of a dead node had is there again; the database will say what they cost.
local function held(account, set)
  local total = number(redis.call('HGET', account, 'held'))
  local ended = redis.call('ZRANGEBYSCORE', set, '-inf', now)
  for _, lease in ipairs(ended) do
    total = total - number(redis.call('HGET', account, 'of:' .. lease))
    redis.call('HDEL', account, 'of:' .. lease)
    redis.call('ZREM', set, lease)
  end
  return total
end

local function write(account, set, settled, total)
  redis.call('HSET', account, 'settled', string.format('%.0f', settled), 'held', string.format('%.0f', total))
  redis.call('PEXPIRE', account, DAY)
  redis.call('PEXPIRE', set, DAY)
end

local RUNNING, REQUESTS, TOKENS, MONEY = 1, 2, 3, 4

-- All or nothing. Answers 0, or which thing has no room, of what, and for how many milliseconds; of money, how much is left.
local function take()
  local lease, lease_ms, wanted = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
  local cost, things = tonumber(ARGV[5]), tonumber(ARGV[6])
  if redis.call('ZSCORE', KEYS[2], lease) then
    return { 0, 0, 0 }
  end
  local found = {}
  for n = 1, things do
    local bucket, set, its = KEYS[n * 2 - 1], KEYS[n * 2], rate(n, 7)
    local requests, tokens = fill(bucket, its)
    redis.call('ZREMRANGEBYSCORE', set, '-inf', now)
    if its.concurrent > 0 and redis.call('ZCARD', set) >= its.concurrent then
      return { n, RUNNING, 1000 }
    end
    local wait = lacks(1, requests, its.requests)
    if wait then return { n, REQUESTS, math.ceil(wait) } end
    wait = lacks(wanted, tokens, its.tokens)
    if wait then return { n, TOKENS, math.ceil(wait) } end
    found[n] = { bucket, set, its, requests, tokens }
  end
  local accounts = {}
  for n = things + 1, #KEYS / 2 do
    local account, set, at = KEYS[n * 2 - 1], KEYS[n * 2], 7 + things * 3 + (n - things - 1) * 2
    local settled = math.max(number(redis.call('HGET', account, 'settled')), tonumber(ARGV[at + 1]))
    local total = held(account, set)
    local left = tonumber(ARGV[at]) - settled - total
    write(account, set, settled, total)
    if left < cost then return { n, MONEY, math.max(0, left) } end
    accounts[n - things] = { account, set, settled, total + cost }
  end
  for _, thing in ipairs(found) do
    local bucket, set, its, requests, tokens = unpack(thing)
    keep(bucket, its, requests - 1, tokens - wanted)
    redis.call('ZADD', set, now + lease_ms, lease)
    redis.call('PEXPIRE', set, lease_ms * 2)
  end
  for _, budget in ipairs(accounts) do
    local account, set, settled, total = unpack(budget)
    redis.call('HSET', account, 'of:' .. lease, string.format('%.0f', cost))
    redis.call('ZADD', set, now + lease_ms, lease)
    write(account, set, settled, total)
  end
  return { 0, 0, 0 }
end

-- Whoever still holds a lease gives it back, and with it the tokens that were not used and the money that was not spent.
local function release()
  local lease, back, spent, things = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
  for n = things + 1, #KEYS / 2 do
    local account, set = KEYS[n * 2 - 1], KEYS[n * 2]
    local amount = redis.call('HGET', account, 'of:' .. lease)
    redis.call('ZREM', set, lease)
    if amount then
      redis.call('HDEL', account, 'of:' .. lease)
      local settled, total = unpack(redis.call('HMGET', account, 'settled', 'held'))
      write(account, set, number(settled) + spent, number(total) - number(amount))
    end
  end
  for n = 1, things do
    local bucket, set, its = KEYS[n * 2 - 1], KEYS[n * 2], rate(n, 6)
    if redis.call('ZREM', set, lease) == 1 and back ~= 0 then
      local requests, tokens = fill(bucket, its)
      keep(bucket, its, requests, math.min(its.tokens, tokens + back))
    end
  end
  return { 0, 0, 0 }
end

-- A request that has ended before it could be asked about.
local function charge()
  for n = 1, #KEYS / 2 do
    local bucket, its = KEYS[n * 2 - 1], rate(n, 2)
    local requests, tokens = fill(bucket, its)
    keep(bucket, its, math.max(0, requests - 1), tokens)
  end
  return { 0, 0, 0 }
end

-- What runs keeps its place; what was thought dead and is not gets it back.
local function renew()
  local lease_ms = tonumber(ARGV[2])
  for n, set in ipairs(KEYS) do
    redis.call('ZADD', set, now + lease_ms, ARGV[n + 2])
    redis.call('PEXPIRE', set, lease_ms * 2)
  end
  return { 0, 0, 0 }
end

-- The same for money, also in an account that was forgotten.
local function hold()
  local lease_ms = tonumber(ARGV[2])
  for n = 1, #KEYS / 2 do
    local account, set = KEYS[n * 2 - 1], KEYS[n * 2]
    local lease, amount, told = ARGV[n * 3], tonumber(ARGV[n * 3 + 1]), tonumber(ARGV[n * 3 + 2])
    redis.call('ZADD', set, now + lease_ms, lease)
    if not redis.call('HGET', account, 'of:' .. lease) then
      local settled = math.max(number(redis.call('HGET', account, 'settled')), told)
      local total = held(account, set) + amount
      redis.call('HSET', account, 'of:' .. lease, string.format('%.0f', amount))
      write(account, set, settled, total)
    end
  end
  return { 0, 0, 0 }
end

local operations = { take = take, release = release, charge = charge, renew = renew, hold = hold }
return operations[ARGV[1]]()
