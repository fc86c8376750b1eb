-- Settle: post what a call cost, in the counters of its reservation, whatever the deadline or the limits say by now.
--
-- KEYS[7] is the operation, KEYS[8] the reservation. Answers {'reused'}, {'unknown'}, {'too_large'}, or {text, plan}: the text is
-- ["replayed", answer, counters] or ["moved", answer, counters afterwards]. An answer is [state, cost, overrun, crossed] as JSON.

local OPERATION = KEYS[7]
local digest, id, key_json, details, usage = ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local cost = {tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])}

local is_same, recorded = recorded_answer(OPERATION, digest)
if is_same == false then return {'reused'} end
local reservation = load_reservation(id)
if not reservation then return {'unknown'} end
if is_same then return answered('replayed', recorded, reservation) end

local function overrun_of(amount)
  local overrun = {}
  for unit = 1, 3 do overrun[unit] = math.max(amount[unit] - reservation.granted[unit], 0) end
  return triple(overrun)
end

local function answer_of(amount, crossed)
  return '["posted",' .. triple(amount) .. ',' .. overrun_of(amount) .. ',[' .. table.concat(crossed, ',') .. ']]'
end

if reservation.state == 'posted' then
  local answer = answer_of(reservation.cost, {})
  redis.call('HSET', OPERATION, 'digest', digest, 'answer', answer)
  return answered('replayed', answer, reservation)
end
for _, text in ipairs(texts_of(reservation.plan)) do
  for number in string.gmatch(text, '%d+') do -- what is posted must never be refused: only what edits can have made is
    if #number > 19 then return {'too_large'} end
  end
end

local counters = reservation.state == 'voided' and '"counters":' .. counters_json(reservation.plan) .. ',' or ''
local delta, crossed = move(reservation, 'posted', 'posted', cost)
redis.call('HSET', reservation.key, 'cost', whole(cost[1]) .. ',' .. whole(cost[2]) .. ',' .. whole(cost[3]))
append('"post"', delta, '{' .. counters .. '"details":' .. details .. ',"key":' .. key_json .. ',"labels":' .. reservation.labels
  .. ',"overrun":' .. overrun_of(cost) .. ',"reservation":"' .. id .. '","usage":' .. usage .. '}')
local answer = answer_of(cost, crossed)
redis.call('HSET', OPERATION, 'digest', digest, 'answer', answer)
return answered('moved', answer, reservation)
