-- The rates of all nodes: one step, by the clock of Redis. Each operation may be repeated without a second effect, except `charge`.
--
-- KEYS: for each thing that is limited its bucket (requests, tokens, at, and the limits it was kept by) and the set of the requests that run (lease, with the
-- time at which it ends unless it is renewed).
--
-- ARGV: the operation, then
--   take     lease, milliseconds of a lease, tokens, and for each thing: requests per minute, tokens per minute, concurrent
--   release  lease, tokens to give back, and the same three for each thing
--   charge   nothing, and the same three for each thing
--   renew    milliseconds of a lease, and for each set of KEYS (here without buckets) the lease in it

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

local RUNNING, REQUESTS, TOKENS = 1, 2, 3

-- All or nothing. Answers 0, or which thing has no room, of what, and for how many milliseconds.
local function take()
  local lease, lease_ms, wanted = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
  if redis.call('ZSCORE', KEYS[2], lease) then
    return { 0, 0, 0 }
  end
  local found = {}
  for n = 1, #KEYS / 2 do
    local bucket, set, its = KEYS[n * 2 - 1], KEYS[n * 2], rate(n, 5)
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
  for _, thing in ipairs(found) do
    local bucket, set, its, requests, tokens = unpack(thing)
    keep(bucket, its, requests - 1, tokens - wanted)
    redis.call('ZADD', set, now + lease_ms, lease)
    redis.call('PEXPIRE', set, lease_ms * 2)
  end
  return { 0, 0, 0 }
end

-- Whoever still holds a lease gives it back, and with it the tokens that were not used.
local function release()
  local lease, back = ARGV[2], tonumber(ARGV[3])
  for n = 1, #KEYS / 2 do
    local bucket, set, its = KEYS[n * 2 - 1], KEYS[n * 2], rate(n, 4)
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

local operations = { take = take, release = release, charge = charge, renew = renew }
return operations[ARGV[1]]()
