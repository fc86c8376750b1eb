-- What is stored under names that entries tell: ARGV[3] reservations from KEYS[7] on, then operations, each as two keys: where it is,
-- and where else to look (schema 1 kept a reserve's answer elsewhere); the last key is none of them.
-- Answers {'stored', reservations, operations}.

local reservations, operations = {}, {}
local count = tonumber(ARGV[3])
for index = 7, 6 + count do
  local state, made, cost, resolved_at = stored_reservation(KEYS[index])
  if made then made = string.gsub(made, '[^\n]+$', function(line) return stored_plan(line) end) end
  reservations[#reservations + 1] = {state or false, made or false, cost or false, resolved_at or false}
end
for index = 7 + count, #KEYS - 1, 2 do
  local found = redis.call('HMGET', KEYS[index], 'digest', 'answer', 'sequence')
  if not found[1] then found = redis.call('HMGET', KEYS[index + 1], 'digest', 'answer', 'sequence') end
  if found[1] and not found[2] and not found[3] then found[2] = reserve_answer(KEYS[index]) end
  operations[#operations + 1] = found
end
return {'stored', reservations, operations}
