-- What is stored under names that entries tell: ARGV[3] reservations from KEYS[7] on, then operations.
-- Answers {'stored', reservations, operations}.

local reservations, operations = {}, {}
local count = tonumber(ARGV[3])
for index = 7, 6 + count do
  local state, made, cost, resolved_at = stored_reservation(KEYS[index])
  reservations[#reservations + 1] = {state or false, made or false, cost or false, resolved_at or false}
end
for index = 7 + count, #KEYS do
  operations[#operations + 1] = redis.call('HMGET', KEYS[index], 'digest', 'answer', 'sequence')
end
return {'stored', reservations, operations}
