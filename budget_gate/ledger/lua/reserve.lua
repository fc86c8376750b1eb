-- Reserve, where grant.lua has not answered: check every enforced limit and take the amount from all counters, or take nothing. The
-- rule is core/admission.py's. ARGV is described in grant.lua.
--
-- Answers {'reused'}, {'stale', now}, {'unplanned'}, {'too_large'}, or one JSON text: ["replayed", answer, counters], ["admitted", granted,
-- expires_at, counters before], ["waiting", ahead, counters], ["refused", answer, counters].

local id, may_wait = ID, ARGV[6]
local key_json, labels, workflow = string.match(ARGV[8], '^([^\n]*)\n([^\n]*)\n([^\n]*)\n')
local least = ARGV[4] == '' and asked or amount_of(ARGV[4])
for index = 1, COUNT do values[ARGV[HAS_PLAN + index]] = texts[index] end
if recorded then
  local answer = reserve_answer(RESERVATION) or redis.call('HGET', OPERATION, 'answer')
  return '["replayed",' .. answer .. ',' .. listed(texts) .. ']'
end

local plan = cjson.decode(ARGV[11] ~= '' and ARGV[11] or redis.call('HGET', HEAD, 'plan:' .. PLAN_NAME))
expire(numbers_of_plan[4])
local before, places, place_at = texts_of(plan), {}, {}

-- The places that can refuse: each counter and unit with an admission line, the lowest line should there be two.
for index, charge in ipairs(plan) do
  local numbers = numbers_of(before[index])
  for _, limit in ipairs(charge[6]) do
    if limit[3] then
      local name = index .. ':' .. limit[1]
      local place = place_at[name]
      if not place then
        local unit = limit[1]
        place = {
          index = index, unit = unit, charge = charge, limit = limit, queue = PREFIX .. 'queue:' .. UNITS[unit] .. ':' .. charge[1],
          posted = count(numbers, 'posted', unit), pending = count(numbers, 'pending', unit), held = count(numbers, 'held', unit),
        }
        places[#places + 1], place_at[name] = place, place
      elseif limit[3] < place.limit[3] then
        place.limit = limit
      end
    end
  end
end

local function left(place, settled)
  return place.limit[3] - place.posted - place.held - (settled and 0 or place.pending)
end

local sequence_before = WAITING > 0 and tonumber(redis.call('HGET', waiter_key(id), 'sequence') or nil) or nil
local function cross_all(stopped)
  local none = {}
  for index, charge in ipairs(plan) do cross_reached(charge, stopped[index] or none, workflow, {}) end
end

local function take(amount)
  local sums = {}
  for index, text in ipairs(before) do
    local numbers = numbers_of(text)
    add(numbers, 'pending', amount, 1)
    sums[index] = text_of(numbers)
  end
  local answer = grant(whole(amount[1]) .. ',' .. whole(amount[2]) .. ',' .. whole(amount[3]), sums, listed(before))
  cross_all({})
  if sequence_before then forget_waiter(id) end
  return answer
end

local function refuse(refusing)
  local answer, named, stopped = {}, {}, {}
  for index, place in ipairs(refusing) do
    local charge, line, unit, reason = place.charge, place.limit[3], place.unit, 'pending'
    local need = least[unit]
    if need > line - place.posted then
      reason = 'spent'
      stopped[place.index] = stopped[place.index] or {}
      stopped[place.index][unit] = true
    elseif need > line - place.posted - place.held then
      reason = 'held'
    end
    local named_unit = scope_per(charge) .. ',"' .. UNITS[unit] .. '","' .. reason .. '"'
    named[index] = '[' .. named_unit .. ']'
    answer[index] = '[' .. named_unit .. ',' .. whole(need) .. ',' .. whole(math.max(left(place), 0)) .. ',' .. whole(charge[5])
      .. ',' .. place.limit[8] .. ']'
  end
  local text = '["refused",[' .. table.concat(answer, ',') .. ']'
  append('"refuse"', '[' .. ZERO .. ',' .. ZERO .. ',' .. ZERO .. ']', '{"asked":' .. triple(asked) .. ',"key":' .. key_json
    .. ',"labels":' .. labels .. ',"refused_by":[' .. table.concat(named, ',') .. ']}')
  redis.call('HSET', RESERVATION, 'digest', ARGV[7], 'answer', text .. ']')
  cross_all(stopped)
  if sequence_before then forget_waiter(id) end
  return text .. ',' .. listed(before) .. ']'
end

local function those(test)
  local found = {}
  for _, place in ipairs(places) do
    if test(place) then found[#found + 1] = place end
  end
  return found
end

local hopeless = those(function(place) return least[place.unit] > left(place, true) end)
if hopeless[1] then return refuse(hopeless) end
local tight = those(function(place) return asked[place.unit] > left(place) end)
local earlier = sequence_before or math.huge
local queue = WAITING == 0 and {} or those(function(place) return has_earlier_waiter(place.queue, id, earlier) end)
if not tight[1] and not queue[1] then return take(asked) end
if may_wait == '1' then
  local must_wait, blocked = queue[1] ~= nil, {}
  for _, place in ipairs(tight) do
    if place.pending > 0 then must_wait = true end
    blocked[#blocked + 1] = place.queue
  end
  for _, place in ipairs(queue) do blocked[#blocked + 1] = place.queue end
  if must_wait then
    local ahead = stand_in(id, sequence_before, blocked, NOW + numbers_of_plan[3])
    return '["waiting",' .. ahead .. ',' .. listed(before) .. ']'
  end
end
if queue[1] and not sequence_before then return refuse(queue) end
local short = those(function(place) return least[place.unit] > left(place) end)
if short[1] then return refuse(short) end
local clamped = {asked[1], asked[2], asked[3]}
for _, place in ipairs(places) do clamped[place.unit] = math.min(clamped[place.unit], left(place)) end
return take(clamped)
