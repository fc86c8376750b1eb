-- Read counters as they stand now. ARGV[3] and ARGV[4] are the bounds of the time that names them; then come the counters.
-- Answers {'stale', now} or {'read', counters}.

if NOW < tonumber(ARGV[3]) or NOW >= tonumber(ARGV[4]) then return {'stale', whole(NOW)} end
local texts = {}
for index = FIRST_COUNTER, #ARGV do
  texts[index - FIRST_COUNTER + 1] = keep(ARGV[index], head[HEAD_FIELDS + index - FIRST_COUNTER + 1])
end
return {'read', listed(texts)}
