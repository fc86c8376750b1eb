-- In front of every script: the clock, the counters, the chain of entries, the outbox. Reads first, refuses first, writes last.
--
-- KEYS[1..6] are the ledger's own: head, entries, deadlines, open, outbox, counters. Keys that only the stored data can name (the
-- counters of an expired reservation, a waiter) are PREFIX plus a fixed word plus that data: same hash tag, same cluster slot.
-- ARGV[1] moves the clock by microseconds (tests only), ARGV[2] is the schema version that the caller knows.

local HEAD, ENTRIES, DEADLINES, OPEN, OUTBOX, COUNTERS = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local PREFIX = string.sub(HEAD, 1, -5)
local UNITS = {'usd', 'tokens', 'requests'}
local ZERO = '[0,0,0]'

-- A counter is a hash of nine exact integers, and the tiers it has crossed as one text.
local PARTS = {posted = 0, pending = 3, held = 6}
local FIELDS = {
  'posted.usd', 'posted.tokens', 'posted.requests', 'pending.usd', 'pending.tokens', 'pending.requests', 'held.usd', 'held.tokens',
  'held.requests',
}

local head = redis.call('HMGET', HEAD, 'schema', 'sequence', 'hash', 'waiting', 'loading')
if head[1] and tonumber(head[1]) > tonumber(ARGV[2]) then return {'too_new', head[1]} end
local sequence, chain = tonumber(head[2] or 0), head[3] or string.rep('0', 64)

local time = redis.call('TIME')
local NOW = time[1] * 1000000 + time[2] + ARGV[1]

-- Lua would print 1e+15, and HINCRBY refuses -0; integers below 2^53 are exact in a double, and the client sends none above.
local function whole(number)
  return string.format('%.0f', number + 0)
end

local function triple(amount)
  return '[' .. whole(amount[1]) .. ',' .. whole(amount[2]) .. ',' .. whole(amount[3]) .. ']'
end

local function append(kind_json, delta, body)
  sequence = sequence + 1
  local text = '{"at":' .. whole(NOW) .. ',"body":' .. body .. ',"delta":' .. delta .. ',"kind":' .. kind_json
    .. ',"seq":' .. whole(sequence) .. '}'
  chain = 'sha1:' .. redis.sha1hex(chain .. '\n' .. text)
  redis.call('XADD', ENTRIES, whole(sequence) .. '-0', 'text', text, 'hash', chain)
  redis.call('HSET', HEAD, 'schema', ARGV[2], 'sequence', whole(sequence), 'hash', chain)
  return text
end

-- The raw strings of one counter, exact whatever their size; rounding above 2^53 cannot move them below any line.
local function counter_of(key)
  return redis.call('HMGET', key, 'posted.usd', 'posted.tokens', 'posted.requests', 'pending.usd', 'pending.tokens',
    'pending.requests', 'held.usd', 'held.tokens', 'held.requests', 'crossed')
end

local function count(raw, part, unit)
  return tonumber(raw[PARTS[part] + unit] or 0)
end

-- Raw counters as one JSON text, digit by digit: one text is quicker to send and read than sixty.
local function counters_text(raws)
  local texts = {}
  for index, raw in ipairs(raws) do
    for field = 1, 9 do raw[field] = raw[field] or '0' end
    texts[index] = table.concat(raw, ',', 1, 9)
  end
  return '[[' .. table.concat(texts, '],[') .. ']]'
end

-- Add to one part of a counter that was just read as `raw`. Below 2^53 sums are exact here and need one command; above, Redis adds.
-- A number given to redis.call is passed on with 17 digits, which is exact too.
local function add(key, raw, part, amount, sign)
  local offset, sums, is_exact = PARTS[part], {}, true
  for unit = 1, 3 do
    sums[unit] = tonumber(raw[offset + unit] or 0) + sign * amount[unit]
    is_exact = is_exact and math.abs(sums[unit]) < 2 ^ 53
  end
  if is_exact then
    redis.call('HSET', key, FIELDS[offset + 1], sums[1], FIELDS[offset + 2], sums[2], FIELDS[offset + 3], sums[3])
  else
    for unit = 1, 3 do redis.call('HINCRBY', key, FIELDS[offset + unit], whole(sign * amount[unit])) end
  end
end

-- Whether HINCRBY has room for any one amount more: it must never fail once a script has begun to write.
local function has_room(raws, most)
  for _, raw in ipairs(raws) do
    for unit = 1, 3 do
      if count(raw, 'posted', unit) + count(raw, 'pending', unit) + count(raw, 'held', unit) > most then return false end
    end
  end
  return true
end

-- A plan is [[counter suffix, scope as JSON, per, label, ends_at, limits], ...]; a limit is [unit 1..3, limit, admission line or
-- false, warn, alert, stop line, mode, owner as JSON, lowest line that may be alerted or false].
-- Client text stays JSON: it is never re-encoded.
local function scope_per(charge)
  return charge[2] .. ',"' .. charge[3] .. '"'
end

local function scope_per_label(charge)
  return scope_per(charge) .. ',"' .. charge[4] .. '"'
end

local function counters_json(plan)
  local names = {}
  for index, charge in ipairs(plan) do names[index] = '[' .. scope_per_label(charge) .. ']' end
  return '[' .. table.concat(names, ',') .. ']'
end

-- Law 11: the first to see a tier reached writes that down and puts one message into the outbox.
local function cross(key, charge, limit, tier, used, raw, workflow, crossed)
  local unit = UNITS[limit[1]]
  local mark = ' ' .. unit .. '.' .. tier
  local before = raw[10] or ''
  if string.find(before .. ' ', mark .. ' ', 1, true) then return end
  raw[10] = before .. mark
  redis.call('HSET', key, 'crossed', raw[10])
  local id = string.format('%012.0f', redis.call('HINCRBY', HEAD, 'deliveries', 1))
  local payload = '{"at":' .. whole(NOW) .. ',"label":"' .. charge[4] .. '","limit":' .. whole(limit[2]) .. ',"mode":"' .. limit[7]
    .. '","owner":' .. limit[8] .. ',"per":"' .. charge[3] .. '","resets_at":' .. whole(charge[5]) .. ',"scope":' .. charge[2]
    .. ',"tier":"' .. tier .. '","unit":"' .. unit .. '","used":' .. whole(used) .. ',"workflow":' .. workflow .. '}'
  redis.call('HSET', PREFIX .. 'delivery:' .. id, 'payload', payload, 'attempts', 0)
  redis.call('ZADD', OUTBOX, whole(NOW), id)
  crossed[#crossed + 1] = '[' .. scope_per_label(charge) .. ',"' .. unit .. '","' .. tier .. '"]'
end

-- The tiers of a limit, the lowest first; of two at one line, the one that is usually lower.
local function tiers_of(limit)
  local tiers = {{name = 'warn', line = limit[4], rank = 1}, {name = 'alert', line = limit[5], rank = 2},
    {name = 'stop', line = limit[6], rank = 3}}
  table.sort(tiers, function(one, other)
    if one.line ~= other.line then return one.line < other.line end
    return one.rank < other.rank
  end)
  return tiers
end

-- Cross every tier whose line is reached. `more` is what this very step added to posted and held since `raw` was read; a unit in
-- `stopped` was refused for good, which crosses `stop` even if a little is left under the line.
local function cross_reached(key, charge, raw, more, stopped, workflow, crossed)
  for _, limit in ipairs(charge[6]) do
    local unit = limit[1]
    local used = count(raw, 'posted', unit) + count(raw, 'held', unit) + more[unit]
    local is_stopped = stopped[unit] and limit[3]
    if limit[9] and (used >= limit[9] or is_stopped) then
      for _, tier in ipairs(tiers_of(limit)) do
        if used >= tier.line or (is_stopped and tier.name == 'stop') then
          cross(key, charge, limit, tier.name, used, raw, workflow, crossed)
        end
      end
    end
  end
end
