-- Claim up to ARGV[4] messages that nobody holds, for ARGV[5] microseconds, in the name of ARGV[3].
-- Answers {'claimed', {{delivery, payload, attempt}, ...}}.

local claimed = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', OUTBOX, '-inf', whole(NOW), 'LIMIT', 0, ARGV[4])) do
  local key = PREFIX .. 'delivery:' .. id
  local attempt = redis.call('HINCRBY', key, 'attempts', 1)
  redis.call('HSET', key, 'claimant', ARGV[3])
  redis.call('ZADD', OUTBOX, whole(NOW + tonumber(ARGV[5])), id)
  claimed[#claimed + 1] = {id, redis.call('HGET', key, 'payload'), whole(attempt)}
end
return {'claimed', claimed}
