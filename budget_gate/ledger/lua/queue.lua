-- In front of the scripts that know waiters (law 12). A waiter is a hash: its sequence, until when it counts as alive, and the queues
-- it stands in; a queue is a sorted set of waiters by sequence, one per place (a counter and a unit).

-- How many waiters are written down, dead or alive: while there are none, no queue need be looked at.
local WAITING = tonumber(head[4] or 0)
local DEAD_MOST = 128
local COUNTED_MOST = 64

local function waiter_key(id)
  return PREFIX .. 'waiter:' .. id
end

local function forget_waiter(id)
  local fields = redis.call('HKEYS', waiter_key(id))
  for _, field in ipairs(fields) do
    if string.sub(field, 1, #PREFIX) == PREFIX then redis.call('ZREM', field, id) end
  end
  if redis.call('DEL', waiter_key(id)) == 1 then redis.call('HINCRBY', HEAD, 'waiting', -1) end
end

-- Whether somebody alive stands at a queue before `mine`. The dead are removed when met; after DEAD_MOST of them the next is left
-- to the next caller, and counts as alive until then: a live one is never passed.
local function has_earlier_waiter(queue, id, mine)
  for _ = 1, DEAD_MOST do
    local first = redis.call('ZRANGE', queue, 0, 0, 'WITHSCORES')
    if not first[1] or first[1] == id or tonumber(first[2]) > mine then return false end
    if tonumber(redis.call('HGET', waiter_key(first[1]), 'alive_until') or 0) > NOW then return true end
    forget_waiter(first[1])
    redis.call('ZREM', queue, first[1])
  end
  return redis.call('ZCARD', queue) > 0
end

-- Stand in exactly these queues, keeping the sequence of the first time. Returns how many alive stand before in any of them; from
-- COUNTED_MOST on the number only says: many.
local function stand_in(id, sequence_before, queues, alive_until)
  local key = waiter_key(id)
  local mine = sequence_before or redis.call('HINCRBY', HEAD, 'waiters', 1)
  if not sequence_before then redis.call('HINCRBY', HEAD, 'waiting', 1) end
  local wanted, earlier, ahead = {}, {}, 0
  for _, queue in ipairs(queues) do wanted[queue] = true end
  for _, field in ipairs(redis.call('HKEYS', key)) do
    if string.sub(field, 1, #PREFIX) == PREFIX and not wanted[field] then
      redis.call('ZREM', field, id)
      redis.call('HDEL', key, field)
    end
  end
  for _, queue in ipairs(queues) do
    redis.call('ZADD', queue, whole(mine), id)
    redis.call('HSET', key, queue, 1)
    for _, other in ipairs(redis.call('ZRANGEBYSCORE', queue, '-inf', '(' .. whole(mine), 'LIMIT', 0, COUNTED_MOST)) do
      if not earlier[other] and tonumber(redis.call('HGET', waiter_key(other), 'alive_until') or 0) > NOW then
        earlier[other], ahead = true, ahead + 1
      end
    end
  end
  redis.call('HSET', key, 'sequence', whole(mine), 'alive_until', whole(alive_until))
  return ahead
end
