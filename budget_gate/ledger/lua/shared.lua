-- In front of every script: the clock, the counters, the chain of entries. Reads first, refuses first, writes last.
--
-- KEYS[1..6] are the ledger's own: head, entries, deadlines, open, outbox, counters. Keys that only the stored data can name (an
-- expired reservation, a waiter) are PREFIX plus a fixed word plus that data: same hash tag, same cluster slot.
-- ARGV[1] moves the clock by microseconds (tests only), ARGV[2] is the schema version that the caller knows. Counters that a script
-- is told beforehand are named by ARGV[FIRST_COUNTER] and on: they are read with the head, in one command.

local HEAD, ENTRIES, DEADLINES, OPEN, OUTBOX, COUNTERS = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local PREFIX = string.sub(HEAD, 1, -5)
local ZERO = '[0,0,0]'

-- A counter is a field of the head, named by its suffix (which holds a colon, as no other field's name does). Its text is the inside of
-- a JSON list: nine exact integers (pending, posted, held, each in three units) and, as one string, the tiers that were crossed.
local NOTHING = '0,0,0,0,0,0,0,0,0,""'
local EXACT = 2 ^ 53

local HEAD_FIELDS = 7
local head = redis.call('HMGET', HEAD, 'schema', 'sequence', 'hash', 'waiting', 'loading', 'was_older', 'due',
  unpack(ARGV, FIRST_COUNTER))
local IS_OLDER, is_upgrade = head[6], false
if head[1] and head[1] ~= ARGV[2] then
  if tonumber(head[1]) > tonumber(ARGV[2]) then return {'too_new', head[1]} end
  IS_OLDER, is_upgrade = true, true
end
local sequence, chain = tonumber(head[2] or 0), head[3] or string.rep('0', 64)

local time = redis.call('TIME')
local NOW = time[1] * 1000000 + time[2] + ARGV[1]

-- Lua would print 1e+15; integers below 2^53 are exact in a double, and the client sends none above.
local function whole(number)
  return string.format('%.0f', number + 0)
end

-- Fields of the head to be written with the next entry; and where schema 1 kept counters, to be removed once they are written there.
local writes, outdated = {}, {}

local function append(kind_json, delta, body)
  sequence = sequence + 1
  local number = whole(sequence)
  local text = '{"at":' .. whole(NOW) .. ',"body":' .. body .. ',"delta":' .. delta .. ',"kind":' .. kind_json .. ',"seq":' .. number
    .. '}'
  chain = 'sha1:' .. redis.sha1hex(chain .. '\n' .. text)
  redis.call('XADD', ENTRIES, number .. '-0', 'text', text, 'hash', chain)
  if is_upgrade then writes[#writes + 1], writes[#writes + 2] = 'was_older', '1' end
  redis.call('HSET', HEAD, 'schema', ARGV[2], 'sequence', number, 'hash', chain, unpack(writes))
  if IS_OLDER then
    for index = 1, #writes, 2 do
      if outdated[writes[index]] then redis.call('DEL', outdated[writes[index]]) end
    end
  end
  writes, is_upgrade = {}, false
  return text
end

-- A counter as schema 1 kept it, a hash under a key of its own: as text, or nil where there is none.
local function older_counter(suffix)
  local raw = redis.call('HMGET', PREFIX .. 'counter:' .. suffix, 'pending.usd', 'pending.tokens', 'pending.requests', 'posted.usd',
    'posted.tokens', 'posted.requests', 'held.usd', 'held.tokens', 'held.requests', 'crossed')
  local is_there = false
  for field = 1, 10 do
    is_there = is_there or raw[field]
    raw[field] = raw[field] or (field < 10 and '0' or '')
  end
  if not is_there then return nil end
  raw[10] = '"' .. raw[10] .. '"'
  return table.concat(raw, ',')
end

-- The texts of counters by suffix, as they are after all that this script did.
local values = {}

local function keep(suffix, text)
  if not text and IS_OLDER then
    text = older_counter(suffix)
    if text then outdated[suffix] = PREFIX .. 'counter:' .. suffix end
  end
  values[suffix] = text or NOTHING
  return values[suffix]
end

-- The texts of many counters as one JSON list of lists: one text is quicker to send and read than sixty numbers.
local function listed(texts)
  return '[[' .. table.concat(texts, '],[') .. ']]'
end
