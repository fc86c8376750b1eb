-- The usual case of a reserve, in front of everything that the unusual ones need (making forty functions takes as long as this): nobody
-- waits, nothing has expired, all that is asked fits, and no tier is reached. The rest is reserve.lua's.
--
-- KEYS[7] is the operation, KEYS[8] the reservation. ARGV: 3 to 5 the amount, 6 the least that will do ('': all), 7 the lifetime, 8
-- whether it may wait, 9 digest, 10 reservation, 11 to 13 key, labels and workflow as JSON; and of the plan: 14 and 15 between which
-- times it holds, 16 its limits, flat: index of the counter, unit, admission line and the lowest line that is alerted (-1: none); 17 the
-- plan, 18 its counters as an entry names them; 19 how long a waiter lives, 20 how many expired to sweep; then the counters.
-- Answers one JSON text: ["admitted", granted, expires_at, counters before]; or what reserve.lua says.

local OPERATION, RESERVATION = KEYS[7], KEYS[8]
local asked = {tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])}
local COUNT = #ARGV - FIRST_COUNTER + 1

if NOW < tonumber(ARGV[14]) or NOW >= tonumber(ARGV[15]) then return {'stale', whole(NOW)} end
local recorded = redis.call('HGET', OPERATION, 'digest')
if recorded and recorded ~= ARGV[9] then return {'reused'} end

-- Counters that hold nothing: most likely new, and not on the list yet (a refusal can have crossed a tier, which is no reason to be).
local is_empty = {}

-- Take `granted` (three numbers as text), which leaves the counters at `texts`; `before` is what they were, as JSON.
local function grant(granted, texts, before)
  for index = 1, COUNT do
    local suffix = ARGV[FIRST_COUNTER + index - 1]
    writes[#writes + 1], writes[#writes + 2] = suffix, texts[index]
    if is_empty[index] then redis.call('ZADD', COUNTERS, 'NX', redis.call('HINCRBY', HEAD, 'counters', 1), suffix) end
    values[suffix] = texts[index]
  end
  local expires_at = whole(NOW + ARGV[7])
  if not head[7] or tonumber(head[7]) > tonumber(expires_at) then writes[#writes + 1], writes[#writes + 2] = 'due', expires_at end
  append('"reserve"', '[[0,0,0],[' .. granted .. '],[0,0,0]]', '{"counters":' .. ARGV[18] .. ',"key":' .. ARGV[11] .. ',"labels":'
    .. ARGV[12] .. ',"reservation":"' .. ARGV[10] .. '"}')
  redis.call('HSET', RESERVATION, 'state', 'pending', 'made', granted .. '\n' .. whole(NOW) .. '\n' .. expires_at .. '\n' .. ARGV[11]
    .. '\n' .. ARGV[12] .. '\n' .. ARGV[13] .. '\n' .. ARGV[17])
  redis.call('ZADD', DEADLINES, expires_at, ARGV[10])
  redis.call('ZADD', OPEN, sequence, ARGV[10])
  local answer = '["admitted",[' .. granted .. '],' .. expires_at
  redis.call('HSET', OPERATION, 'digest', ARGV[9], 'answer', answer .. ']')
  return answer .. ',' .. before .. ']'
end

local texts, numbers, after = {}, {}, {}
local is_usual = not recorded and (not head[4] or head[4] == '0') and head[7] and NOW < tonumber(head[7])
local match, format = string.match, string.format
for index = 1, COUNT do
  local text = head[HEAD_FIELDS + index] or keep(ARGV[FIRST_COUNTER + index - 1])
  local one, two, three, rest, four, five, six, seven, eight, nine =
    match(text, '^(%-?%d+),(%-?%d+),(%-?%d+)(,(%-?%d+),(%-?%d+),(%-?%d+),(%-?%d+),(%-?%d+),(%-?%d+),".*)$')
  if not one then error('EDITED') end
  -- So far below the end of what 64 bits hold, a billion dollars, nothing more is taken, though Lua and Redis would go on.
  if #four > 18 or #five > 18 or #six > 18 or #one > 18 or #two > 18 or #three > 18 then return {'too_large'} end
  is_empty[index] = one == '0' and four == '0' and seven == '0' and string.sub(text, 1, 18) == '0,0,0,0,0,0,0,0,0,'
  texts[index], numbers[index] = text, {one, two, three, four, five, six, seven, eight, nine}
  local usd, tokens, requests = one + asked[1], two + asked[2], three + asked[3]
  is_usual = is_usual and usd < EXACT and tokens < EXACT and requests < EXACT
  after[index] = format('%.0f,%.0f,%.0f%s', usd, tokens, requests, rest)
end
if is_usual then
  local limits = cjson.decode(ARGV[16])
  for at = 1, #limits, 4 do
    local unit, line, lowest, number = limits[at + 1], limits[at + 2], limits[at + 3], numbers[limits[at]]
    local used = number[3 + unit] + number[6 + unit]
    if (line >= 0 and used + number[unit] + asked[unit] > line) or (lowest >= 0 and used >= lowest) then
      is_usual = false
      break
    end
  end
end
if is_usual then return grant(ARGV[3] .. ',' .. ARGV[4] .. ',' .. ARGV[5], after, listed(texts)) end
