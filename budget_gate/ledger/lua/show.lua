-- One reservation, KEYS[7]. Answers {'shown', fields}; open.lua answers the same fields.

return {'shown', redis.call('HMGET', KEYS[7], 'key', 'state', 'granted.usd', 'granted.tokens', 'granted.requests', 'cost.usd',
  'cost.tokens', 'cost.requests', 'labels', 'created_at', 'expires_at', 'resolved_at')}
