-- Up to ARGV[4] open reservations behind the position ARGV[3], oldest first. Answers {'page', last position, reservations}.

local found = redis.call('ZRANGEBYSCORE', OPEN, '(' .. ARGV[3], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[4])
local rows, last = {}, ARGV[3]
for index = 1, #found, 2 do
  local state, made, cost, resolved_at = stored_reservation(PREFIX .. 'reservation:' .. found[index])
  rows[#rows + 1] = {found[index], {state or false, made or false, cost or false, resolved_at or false}}
  last = found[index + 1]
end
return {'page', last, rows}
