-- In front of the scripts that read reservations: one form for those that schema 1 wrote, a field for each number, and those of today.

-- Returns state, `made`, cost and resolved_at as they are stored today; nothing when there is no such reservation.
local function stored_reservation(key)
  local raw = redis.call('HMGET', key, 'state', 'made', 'cost', 'resolved_at')
  if not raw[1] then return nil end
  if raw[2] then return raw[1], raw[2], raw[3], raw[4] end
  local old = redis.call('HMGET', key, 'granted.usd', 'granted.tokens', 'granted.requests', 'created_at', 'expires_at', 'key', 'labels',
    'workflow', 'plan', 'cost.usd', 'cost.tokens', 'cost.requests')
  for index = 1, 12 do old[index] = old[index] or '0' end
  local made = table.concat(old, ',', 1, 3) .. '\n' .. table.concat(old, '\n', 4, 9)
  return raw[1], made, raw[3] or table.concat(old, ',', 10, 12), raw[4]
end
