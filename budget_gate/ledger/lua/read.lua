-- Read counters as they stand now. KEYS[7..] are the counters, ARGV[3] and ARGV[4] the bounds of the time that names them.
-- Answers {'stale', now} or {'read', counters}.

if NOW < tonumber(ARGV[3]) or NOW >= tonumber(ARGV[4]) then return {'stale', whole(NOW)} end
local raws = {}
for index = 7, #KEYS do raws[index - 6] = counter_of(KEYS[index]) end
return {'read', counters_text(raws)}
