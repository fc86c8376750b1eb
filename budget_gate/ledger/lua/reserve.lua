-- Reserve: check every enforced limit and take the amount from all counters, or take nothing. The rule is core/admission.py's.
--
-- KEYS[7] is the operation, KEYS[8] the reservation, then one counter per charge. Answers: {'reused'}, {'stale', now},
-- {'too_large'}, {'replayed', answer, counters}, {'admitted', granted, expires_at, counters before}, {'waiting', ahead, counters},
-- {'refused', answer, counters}.

local OPERATION, RESERVATION, FIRST_COUNTER = KEYS[7], KEYS[8], 9
local numbers = cjson.decode(ARGV[3])
local starts_at, ends_at, lifetime, may_wait, waiter_life, sweep_most = unpack(numbers, 1, 6)
local asked, least = {unpack(numbers, 7, 9)}, {unpack(numbers, 10, 12)}
local digest, id, key_json, labels, workflow, plan_json = ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9]
local plan = cjson.decode(plan_json)

local function counters()
  local raws = {}
  for index = 1, #plan do raws[index] = counter_of(KEYS[FIRST_COUNTER + index - 1]) end
  return raws
end

if NOW < starts_at or NOW >= ends_at then return {'stale', whole(NOW)} end
local is_same, recorded = recorded_answer(OPERATION, digest)
if is_same == false then return {'reused'} end
if is_same then return {'replayed', recorded, counters_text(counters())} end

expire(sweep_most)
local raws = counters()
if not has_room(raws, 4e18) then return {'too_large'} end

-- The places that can refuse: each counter and unit with an admission line, the lowest line should there be two.
local places, place_at = {}, {}
for index, charge in ipairs(plan) do
  for _, limit in ipairs(charge[6]) do
    if limit[3] then
      local name = index .. ':' .. limit[1]
      local place = place_at[name]
      if not place then
        local unit, raw = limit[1], raws[index]
        place = {
          index = index, unit = unit, charge = charge, limit = limit, queue = PREFIX .. 'queue:' .. UNITS[unit] .. ':' .. charge[1],
          posted = count(raw, 'posted', unit), pending = count(raw, 'pending', unit), held = count(raw, 'held', unit),
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
  local nothing, none = {0, 0, 0}, {}
  for index, charge in ipairs(plan) do
    cross_reached(KEYS[FIRST_COUNTER + index - 1], charge, raws[index], nothing, stopped[index] or none, workflow, {})
  end
end

local function grant(amount)
  local labels_and_key = ',"key":' .. key_json .. ',"labels":' .. labels
  append('"reserve"', '[' .. ZERO .. ',' .. triple(amount) .. ',' .. ZERO .. ']',
    '{"counters":' .. counters_json(plan) .. labels_and_key .. ',"reservation":"' .. id .. '"}')
  for index, raw in ipairs(raws) do
    local key = KEYS[FIRST_COUNTER + index - 1]
    if not raw[PARTS.pending + 1] then redis.call('ZADD', COUNTERS, redis.call('HINCRBY', HEAD, 'counters', 1), plan[index][1]) end
    add(key, raw, 'pending', amount, 1)
  end
  local expires_at = NOW + lifetime
  redis.call('HSET', RESERVATION, 'key', key_json, 'state', 'pending', 'granted.usd', whole(amount[1]), 'granted.tokens',
    whole(amount[2]), 'granted.requests', whole(amount[3]), 'cost.usd', 0, 'cost.tokens', 0, 'cost.requests', 0, 'plan', plan_json,
    'labels', labels, 'workflow', workflow, 'created_at', whole(NOW), 'expires_at', whole(expires_at))
  redis.call('ZADD', DEADLINES, whole(expires_at), id)
  redis.call('ZADD', OPEN, whole(sequence), id)
  redis.call('HSET', OPERATION, 'digest', digest, 'answer', '["admitted",' .. triple(amount) .. ',' .. whole(expires_at) .. ']')
  cross_all({})
  if sequence_before then forget_waiter(id) end
  return {'admitted', triple(amount), whole(expires_at), counters_text(raws)}
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
  local text = '["refused",[' .. table.concat(answer, ',') .. ']]'
  append('"refuse"', '[' .. ZERO .. ',' .. ZERO .. ',' .. ZERO .. ']', '{"asked":' .. triple(asked) .. ',"key":' .. key_json
    .. ',"labels":' .. labels .. ',"refused_by":[' .. table.concat(named, ',') .. ']}')
  redis.call('HSET', OPERATION, 'digest', digest, 'answer', text)
  cross_all(stopped)
  if sequence_before then forget_waiter(id) end
  return {'refused', text, counters_text(raws)}
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
local before = sequence_before or math.huge
local queue = WAITING == 0 and {} or those(function(place) return has_earlier_waiter(place.queue, id, before) end)
if not tight[1] and not queue[1] then return grant(asked) end
if may_wait == 1 then
  local must_wait, blocked = queue[1] ~= nil, {}
  for _, place in ipairs(tight) do
    if place.pending > 0 then must_wait = true end
    blocked[#blocked + 1] = place.queue
  end
  for _, place in ipairs(queue) do blocked[#blocked + 1] = place.queue end
  if must_wait then return {'waiting', stand_in(id, sequence_before, blocked, NOW + waiter_life), counters_text(raws)} end
end
if queue[1] and not sequence_before then return refuse(queue) end
local short = those(function(place) return least[place.unit] > left(place) end)
if short[1] then return refuse(short) end
local clamped = {asked[1], asked[2], asked[3]}
for _, place in ipairs(places) do clamped[place.unit] = math.min(clamped[place.unit], left(place)) end
return grant(clamped)
