-- Up to ARGV[4] messages behind number ARGV[3], delivered or not. Answers {'messages', {{payload, acknowledged at}, ...}}.

local last = math.min(tonumber(ARGV[3]) + tonumber(ARGV[4]), tonumber(redis.call('HGET', HEAD, 'deliveries') or 0))
local found = {}
for number = ARGV[3] + 1, last do
  found[#found + 1] = redis.call('HMGET', PREFIX .. 'delivery:' .. string.format('%012.0f', number), 'payload', 'acknowledged_at')
end
return {'messages', found}
