-- Void or hold (ARGV[7]): release a reservation, or keep it counted because it may have been billed.
--
-- KEYS[7] is the operation, KEYS[8] the reservation. Answers as in settle.lua. What is resolved already stays as it is.

local OPERATION = KEYS[7]
local digest, id, key_json, reason, kind = ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]

local is_same, recorded = recorded_answer(OPERATION, digest)
if is_same == false then return {'reused'} end
local reservation = load_reservation(id)
if not reservation then return {'unknown'} end
if is_same then return answered('replayed', recorded, reservation) end

local may_move = reservation.state == 'pending' or (kind == 'void' and reservation.state == 'held')
local crossed, outcome = {}, 'replayed'
if may_move then
  local delta
  if kind == 'void' then
    delta, crossed = move(reservation, 'voided', nil, nil)
  else
    delta, crossed = move(reservation, 'held', 'held', reservation.granted)
  end
  append('"' .. kind .. '"', delta, '{"key":' .. key_json .. ',"reason":' .. reason .. ',"reservation":"' .. id .. '"}')
  outcome = 'moved'
end
local overrun = {0, 0, 0}
for unit = 1, 3 do overrun[unit] = math.max(reservation.cost[unit] - reservation.granted[unit], 0) end
local answer = '["' .. reservation.state .. '",' .. triple(reservation.cost) .. ',' .. triple(overrun) .. ',['
  .. table.concat(crossed, ',') .. ']]'
redis.call('HSET', OPERATION, 'digest', digest, 'answer', answer)
return answered(outcome, answer, reservation)
