-- Up to ARGV[4] counters behind the position ARGV[3], in the order they came up. Answers {'page', last position, suffixes,
-- counters}.

local found = redis.call('ZRANGEBYSCORE', COUNTERS, '(' .. ARGV[3], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[4])
local suffixes, raws, last = {}, {}, ARGV[3]
for index = 1, #found, 2 do
  suffixes[#suffixes + 1] = found[index]
  raws[#raws + 1] = counter_of(PREFIX .. 'counter:' .. found[index])
  last = found[index + 1]
end
return {'page', last, suffixes, counters_text(raws)}
