-- Append a note that moves no money, once per key. KEYS[7] is the operation; ARGV[4] its kind and ARGV[5] its body, as JSON.
-- Answers {'reused'} or {'recorded', sequence, text, hash}.

local recorded = redis.call('HMGET', KEYS[7], 'digest', 'sequence', 'text', 'hash')
if recorded[1] and recorded[1] ~= ARGV[3] then return {'reused'} end
if recorded[1] and recorded[3] then return {'recorded', recorded[2], recorded[3], recorded[4]} end
if recorded[1] then -- it came here by `ledger copy`, which keeps the text in the entries only
  local fields = redis.call('XRANGE', ENTRIES, recorded[2] .. '-0', recorded[2] .. '-0')[1][2]
  return {'recorded', recorded[2], fields[2], fields[4]}
end
local text = append(ARGV[4], '[' .. ZERO .. ',' .. ZERO .. ',' .. ZERO .. ']', ARGV[5])
redis.call('HSET', KEYS[7], 'digest', ARGV[3], 'sequence', whole(sequence), 'text', text, 'hash', chain)
return {'recorded', whole(sequence), text, chain}
