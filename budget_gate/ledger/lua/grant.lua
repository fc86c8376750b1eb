-- The usual case of a reserve, in front of everything that the unusual ones need (making forty functions takes as long as this): nobody
-- waits, nothing has expired, all that is asked fits, and no tier is reached. The rest is reserve.lua's.
--
-- KEYS[7] is the reservation, which remembers the answer too, and KEYS[8] the operation, where schema 1 did. ARGV: 3 the amount, 4 the
-- least that will do ('': all), both as three numbers; 5 the lifetime, 6 whether it may wait, 7 digest, 8 what a reservation keeps besides:
-- key, labels and workflow as JSON and the name of its plan, each a line; 9 the entry's body. Of the plan: 10 numbers: between which times
-- it holds, how long a waiter lives, how many expired to sweep, and then of each limit the index of its counter, its unit, its admission
-- line and its lowest line that is alerted (-1: none); 11 the plan ('' where it should be stored already); then HAS_PLAN, the field that
-- tells that the plan is stored, named after it, and the counters. Reservations name their plan: most have the same.
-- Answers {'unplanned'} when the plan is neither stored nor told; one JSON text: ["admitted", granted, expires_at, counters before]; or
-- what reserve.lua says.

local RESERVATION, OPERATION = KEYS[7], KEYS[8]
local ID = string.sub(RESERVATION, #PREFIX + #'reservation:' + 1)
local HAS_PLAN = 12 -- the first that is read with the head
local COUNT = #ARGV - HAS_PLAN
local numbers_of_plan = cjson.decode(ARGV[10])
local FIRST_LIMIT = 5
local ask_usd, ask_tokens, ask_requests = string.match(ARGV[3], '^(%d+),(%d+),(%d+)$')
local asked = {tonumber(ask_usd), tonumber(ask_tokens), tonumber(ask_requests)}

if NOW < numbers_of_plan[1] or NOW >= numbers_of_plan[2] then return {'stale', whole(NOW)} end
local recorded = redis.call('HGET', RESERVATION, 'digest') or (IS_OLDER and redis.call('HGET', OPERATION, 'digest'))
if recorded and recorded ~= ARGV[7] then return {'reused'} end
local PLAN_NAME, PLAN_IS_STORED = string.sub(ARGV[HAS_PLAN], #'has:' + 1), head[HEAD_FIELDS + 1]
if ARGV[11] == '' and not PLAN_IS_STORED then return {'unplanned'} end

-- Counters that hold nothing: most likely new, and not on the list yet (a refusal can have crossed a tier, which is no reason to be).
local is_empty = {}

-- Take `granted` (three numbers as text), which leaves the counters at `texts`; `before` is what they were, as JSON.
local function grant(granted, texts, before)
  for index = 1, COUNT do
    local suffix = ARGV[HAS_PLAN + index]
    writes[#writes + 1], writes[#writes + 2] = suffix, texts[index]
    if is_empty[index] then redis.call('ZADD', COUNTERS, 'NX', redis.call('HINCRBY', HEAD, 'counters', 1), suffix) end
    values[suffix] = texts[index]
  end
  local now = whole(NOW)
  local expires_at = whole(NOW + ARGV[5])
  if not head[7] or tonumber(head[7]) > tonumber(expires_at) then writes[#writes + 1], writes[#writes + 2] = 'due', expires_at end
  if not PLAN_IS_STORED then
    for _, word in ipairs({ARGV[HAS_PLAN], '1', 'plan:' .. PLAN_NAME, ARGV[11]}) do writes[#writes + 1] = word end
  end
  append('"reserve"', '[[0,0,0],[' .. granted .. '],[0,0,0]]', ARGV[9])
  redis.call('HSET', RESERVATION, 'digest', ARGV[7], 'state', 'pending', 'made', granted .. '\n' .. now .. '\n' .. expires_at .. '\n'
    .. ARGV[8])
  redis.call('ZADD', DEADLINES, expires_at, ID)
  redis.call('ZADD', OPEN, sequence, ID)
  return '["admitted",[' .. granted .. '],' .. expires_at .. ',' .. before .. ']'
end

local texts, numbers, after = {}, {}, {}
local is_usual = not recorded and (not head[4] or head[4] == '0') and head[7] and NOW < tonumber(head[7])
local match, format = string.match, string.format
for index = 1, COUNT do
  local text = head[HEAD_FIELDS + 1 + index] or keep(ARGV[HAS_PLAN + index])
  local one, two, three, rest, four, five, six, seven, eight, nine =
    match(text, '^(%-?%d+),(%-?%d+),(%-?%d+)(,(%-?%d+),(%-?%d+),(%-?%d+),(%-?%d+),(%-?%d+),(%-?%d+),".*)$')
  if not one then error('EDITED') end
  -- So far below the end of what 64 bits hold, a billion dollars, nothing more is taken, though Lua and Redis would go on.
  if #four > 18 or #five > 18 or #six > 18 or #one > 18 or #two > 18 or #three > 18 then return {'too_large'} end
  is_empty[index] = one == '0' and four == '0' and seven == '0' and string.sub(text, 1, 18) == '0,0,0,0,0,0,0,0,0,'
  texts[index], numbers[index] = text, {one, two, three, four, five, six, seven, eight, nine}
  local usd, tokens, requests = one + asked[1], two + asked[2], three + asked[3]
  is_usual = is_usual and usd < EXACT and tokens < EXACT and requests < EXACT
  after[index] = format('%d,%d,%d%s', usd, tokens, requests, rest)
end
if is_usual then
  local limits = numbers_of_plan
  for at = FIRST_LIMIT, #limits, 4 do
    local unit, line, lowest, number = limits[at + 1], limits[at + 2], limits[at + 3], numbers[limits[at]]
    local used = number[3 + unit] + number[6 + unit]
    if (line >= 0 and used + number[unit] + asked[unit] > line) or (lowest >= 0 and used >= lowest) then
      is_usual = false
      break
    end
  end
end
if is_usual then return grant(ARGV[3], after, listed(texts)) end
