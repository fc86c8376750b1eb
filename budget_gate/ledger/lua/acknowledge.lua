-- Mark the message ARGV[3] as delivered if ARGV[4] still holds it. KEYS[7] is the message. Answers {'acknowledged', 1 or 0}.

if redis.call('HGET', KEYS[7], 'claimant') ~= ARGV[4] then return {'acknowledged', 0} end
redis.call('ZREM', OUTBOX, ARGV[3])
redis.call('HSET', KEYS[7], 'acknowledged_at', whole(NOW))
return {'acknowledged', 1}
