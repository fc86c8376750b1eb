-- In front of the scripts that change a reservation's state: loading it, moving its amount, and turning the expired into holds.

local function load_reservation(id)
  local key = PREFIX .. 'reservation:' .. id
  local raw = redis.call('HMGET', key, 'state', 'granted.usd', 'granted.tokens', 'granted.requests', 'cost.usd', 'cost.tokens',
    'cost.requests', 'plan', 'labels', 'workflow')
  if not raw[1] then return nil end
  return {
    id = id, key = key, state = raw[1],
    granted = {tonumber(raw[2]), tonumber(raw[3]), tonumber(raw[4])},
    cost = {tonumber(raw[5]), tonumber(raw[6]), tonumber(raw[7])},
    plan_json = raw[8], plan = cjson.decode(raw[8]), labels = raw[9], workflow = raw[10],
  }
end

-- Return the raw counters of a reservation, as they are before anything moves.
local function counters_of(reservation)
  local raws = {}
  for index, charge in ipairs(reservation.plan) do raws[index] = counter_of(PREFIX .. 'counter:' .. charge[1]) end
  return raws
end

-- Move a reservation to a state: out of its part of every counter, into another. Returns what each part gained, as JSON, and the
-- crossings. `into` is nil when the amount leaves the books (void).
local function move(reservation, state, into, amount, raws)
  local crossed, gained = {}, {posted = ZERO, pending = ZERO, held = ZERO}
  local out_of = (reservation.state == 'pending' or reservation.state == 'held') and reservation.state or nil
  local granted = reservation.granted
  local more = {0, 0, 0}
  for unit = 1, 3 do
    if out_of == 'held' then more[unit] = -granted[unit] end
    if into then more[unit] = more[unit] + amount[unit] end
  end
  for index, charge in ipairs(reservation.plan) do
    local key = PREFIX .. 'counter:' .. charge[1]
    if out_of then add(key, raws[index], out_of, granted, -1) end
    if into then add(key, raws[index], into, amount, 1) end
    cross_reached(key, charge, raws[index], more, {}, reservation.workflow, crossed)
  end
  if out_of then gained[out_of] = triple({-granted[1], -granted[2], -granted[3]}) end
  if into then gained[into] = triple(amount) end
  redis.call('HSET', reservation.key, 'state', state)
  if state ~= 'held' then redis.call('HSET', reservation.key, 'resolved_at', whole(NOW)) end
  if out_of == 'pending' then redis.call('ZREM', DEADLINES, reservation.id) end
  if state ~= 'held' then redis.call('ZREM', OPEN, reservation.id) end
  reservation.state = state
  return '[' .. gained.posted .. ',' .. gained.pending .. ',' .. gained.held .. ']', crossed
end

-- Law 6: turn up to `most` pending reservations past their deadline into holds; return how many there were.
local function expire(most)
  local ids = redis.call('ZRANGEBYSCORE', DEADLINES, '-inf', whole(NOW), 'LIMIT', 0, most)
  for _, id in ipairs(ids) do
    local reservation = load_reservation(id)
    if reservation then
      local delta = move(reservation, 'held', 'held', reservation.granted, counters_of(reservation))
      append('"expire"', delta, '{"reservation":"' .. id .. '"}')
    else
      redis.call('ZREM', DEADLINES, id)
    end
  end
  return #ids
end

-- What is recorded under an operation key: nil when it is new, else whether the digest is the same, and the answer.
local function recorded_answer(key, digest)
  local recorded = redis.call('HMGET', key, 'digest', 'answer')
  if not recorded[1] then return nil end
  return recorded[1] == digest, recorded[2]
end
