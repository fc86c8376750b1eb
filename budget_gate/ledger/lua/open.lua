-- Up to ARGV[4] open reservations behind the position ARGV[3], oldest first. Answers {'page', last position, reservations}.

local found = redis.call('ZRANGEBYSCORE', OPEN, '(' .. ARGV[3], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[4])
local rows, last = {}, ARGV[3]
for index = 1, #found, 2 do
  local row = redis.call('HMGET', PREFIX .. 'reservation:' .. found[index], 'key', 'state', 'granted.usd', 'granted.tokens',
    'granted.requests', 'cost.usd', 'cost.tokens', 'cost.requests', 'labels', 'created_at', 'expires_at', 'resolved_at')
  rows[#rows + 1] = {found[index], row}
  last = found[index + 1]
end
return {'page', last, rows}
