-- The notes recorded under keys, KEYS[7] onwards. Answers {'notes', rows}, each {sequence, text, hash} or empty.

local rows = {}
for place = 7, #KEYS do
  local recorded = redis.call('HMGET', KEYS[place], 'sequence', 'text', 'hash')
  rows[#rows + 1] = recorded[1] and recorded or {}
end
return {'notes', rows}
