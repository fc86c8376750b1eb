-- Fill a ledger, a page at a time. ARGV[3] names the load; ARGV[4] is the newest entry that must be there ('' on later pages, which
-- must belong to the load that is under way); ARGV[5] is '' or, on the last page, the newest entry and ARGV[6] its hash ('': as it was).
-- Then come commands, each as a count of words and the words; an entry that is there from a load that died is left as it is.
-- Answers {'moved_on', newest entry}, {'other'} or {'loaded'}.

if ARGV[4] ~= '' then
  if whole(sequence) ~= ARGV[4] then return {'moved_on', whole(sequence)} end
  redis.call('HSET', HEAD, 'schema', ARGV[2], 'loading', ARGV[3])
  if is_upgrade then redis.call('HSET', HEAD, 'was_older', '1') end
  redis.call('HDEL', HEAD, 'due')
elseif head[5] ~= ARGV[3] then
  return {'other'}
end
local at = 7
while ARGV[at] do
  local words = {unpack(ARGV, at + 1, at + tonumber(ARGV[at]))}
  at = at + 1 + #words
  if words[1] == 'ENTRY' then
    if not redis.call('XRANGE', ENTRIES, words[2], words[2])[1] then
      redis.call('XADD', ENTRIES, words[2], 'text', words[3], 'hash', words[4])
    end
  elseif words[1] == 'CROSSED' then
    local text = keep(words[2], redis.call('HGET', HEAD, words[2]))
    if not string.find(text, words[3] .. ' ', 1, true) and not string.find(text, words[3] .. '"', 1, true) then
      redis.call('HSET', HEAD, words[2], string.sub(text, 1, -2) .. words[3] .. '"')
      local id = string.format('%012.0f', redis.call('HINCRBY', HEAD, 'deliveries', 1))
      redis.call('HSET', PREFIX .. 'delivery:' .. id, 'payload', words[4], 'attempts', 0)
      if words[5] == 'waiting' then
        redis.call('ZADD', OUTBOX, whole(NOW), id)
      else
        redis.call('HSET', PREFIX .. 'delivery:' .. id, 'acknowledged_at', whole(NOW))
      end
    end
  elseif words[1] == 'COUNTER' then -- the numbers as they are elsewhere; which tiers were crossed here stays
    local crossed = string.match(keep(words[2], redis.call('HGET', HEAD, words[2])), '"[^"]*"$')
    redis.call('HSET', HEAD, words[2], words[3] .. ',' .. crossed)
    redis.call('ZADD', COUNTERS, 'NX', redis.call('HINCRBY', HEAD, 'counters', 1), words[2])
  else
    redis.call(unpack(words))
  end
end
if ARGV[5] ~= '' then
  if ARGV[6] ~= '' then redis.call('HSET', HEAD, 'sequence', ARGV[5], 'hash', ARGV[6]) end
  redis.call('HDEL', HEAD, 'loading')
end
return {'loaded'}
