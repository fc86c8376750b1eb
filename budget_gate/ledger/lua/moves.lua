-- In front of the scripts that change a reservation's state: loading it, moving its amount, and turning the expired into holds.
--
-- A reservation is a hash: its state; `made`, what never changes, as lines; and once there are such, `cost` and `resolved_at`.

local MADE = {'granted', 'created_at', 'expires_at', 'key_json', 'labels', 'workflow', 'plan_json'}

local function load_reservation(id)
  local key = PREFIX .. 'reservation:' .. id
  local state, made, cost, resolved_at = stored_reservation(key)
  if not state then return nil end
  local found = {id = id, key = key, state = state, cost_text = cost or '0,0,0', resolved_at = resolved_at}
  local at = 0
  for line in string.gmatch(made, '[^\n]+') do
    at = at + 1
    found[MADE[at]] = line
  end
  found.granted, found.cost = amount_of(found.granted), amount_of(found.cost_text)
  found.plan = cjson.decode(found.plan_json)
  return found
end

-- Move a reservation to a state: out of its part of every counter, into another. Returns what each part gained, as JSON, and the
-- crossings; the counters are written with the entry that follows. `into` is nil when the amount leaves the books (void).
local function move(reservation, state, into, amount)
  local crossed, gained = {}, {posted = ZERO, pending = ZERO, held = ZERO}
  local out_of = (reservation.state == 'pending' or reservation.state == 'held') and reservation.state or nil
  local granted = reservation.granted
  fetch(reservation.plan)
  for _, charge in ipairs(reservation.plan) do
    local numbers, suffix = numbers_of(values[charge[1]]), charge[1]
    if out_of then add(numbers, out_of, granted, -1) end
    if into then add(numbers, into, amount, 1) end
    values[suffix] = text_of(numbers)
  end
  for _, charge in ipairs(reservation.plan) do
    cross_reached(charge, {}, reservation.workflow, crossed)
    writes[#writes + 1], writes[#writes + 2] = charge[1], values[charge[1]]
  end
  if out_of then gained[out_of] = triple({-granted[1], -granted[2], -granted[3]}) end
  if into then gained[into] = triple(amount) end
  if state == 'held' then
    redis.call('HSET', reservation.key, 'state', state)
  else
    reservation.resolved_at = whole(NOW)
    redis.call('HSET', reservation.key, 'state', state, 'resolved_at', reservation.resolved_at)
    redis.call('ZREM', OPEN, reservation.id)
  end
  if out_of == 'pending' then redis.call('ZREM', DEADLINES, reservation.id) end
  reservation.state = state
  return '[' .. gained.posted .. ',' .. gained.pending .. ',' .. gained.held .. ']', crossed
end

-- Law 6: turn up to `most` pending reservations past their deadline into holds; return how many there were. Afterwards `due` tells
-- before which time nobody need look again.
local function expire(most)
  local ids = redis.call('ZRANGEBYSCORE', DEADLINES, '-inf', whole(NOW), 'LIMIT', 0, most)
  for _, id in ipairs(ids) do
    local reservation = load_reservation(id)
    if reservation then
      local delta = move(reservation, 'held', 'held', reservation.granted)
      append('"expire"', delta, '{"reservation":"' .. id .. '"}')
    else
      redis.call('ZREM', DEADLINES, id)
    end
  end
  local next_one = redis.call('ZRANGE', DEADLINES, 0, 0, 'WITHSCORES')
  head[7] = next_one[2] and whole(next_one[2]) or whole(EXACT)
  redis.call('HSET', HEAD, 'due', head[7])
  return #ids
end

-- What is recorded under an operation key: nil when it is new, else whether the digest is the same, and the answer.
local function recorded_answer(key, digest)
  local recorded = redis.call('HMGET', key, 'digest', 'answer')
  if not recorded[1] then return nil end
  return recorded[1] == digest, recorded[2]
end

-- What settle, void and hold answer, the counters as they are now. The plan is apart: a client that knows its text need not read it.
local function answered(outcome, answer, reservation)
  return {'["' .. outcome .. '",' .. answer .. ',' .. listed(texts_of(reservation.plan)) .. ']', reservation.plan_json}
end
