-- What is stored under names that entries tell: ARGV[3] reservations from KEYS[7] on, then operations.
-- Answers {'stored', reservations, operations}.

local reservations, operations = {}, {}
local count = tonumber(ARGV[3])
for index = 7, 6 + count do
  reservations[#reservations + 1] = redis.call('HMGET', KEYS[index], 'key', 'state', 'granted.usd', 'granted.tokens',
    'granted.requests', 'cost.usd', 'cost.tokens', 'cost.requests', 'labels', 'created_at', 'expires_at', 'resolved_at', 'plan')
end
for index = 7 + count, #KEYS do
  operations[#operations + 1] = redis.call('HMGET', KEYS[index], 'digest', 'answer', 'sequence')
end
return {'stored', reservations, operations}
