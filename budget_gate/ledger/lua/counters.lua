-- Up to ARGV[4] counters behind the position ARGV[3], in the order they came up; with ARGV[5] and on, only those of them whose label
-- begins with one of these. Answers {'page', last position, suffixes, counters}.

local function is_wanted(suffix)
  if #ARGV < 5 then return true end
  local label = string.match(suffix, '^[^:]*:([^:]*):') or ''
  for index = 5, #ARGV do
    if string.sub(label, 1, #ARGV[index]) == ARGV[index] then return true end
  end
  return false
end

local found = redis.call('ZRANGEBYSCORE', COUNTERS, '(' .. ARGV[3], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[4])
local suffixes, texts, last = {}, {}, ARGV[3]
for index = 1, #found, 2 do
  if is_wanted(found[index]) then suffixes[#suffixes + 1] = found[index] end
  last = found[index + 1]
end
if suffixes[1] then
  local stored = redis.call('HMGET', HEAD, unpack(suffixes))
  for index, suffix in ipairs(suffixes) do texts[index] = keep(suffix, stored[index]) end
end
return {'page', last, suffixes, listed(texts)}
