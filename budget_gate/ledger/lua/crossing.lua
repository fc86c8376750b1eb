-- In front of the scripts by which a tier can be crossed (law 11): who is told what, and the counters as numbers.
--
-- A plan is [[counter suffix, scope as JSON, per, label, ends_at, limits], ...]; a limit is [unit 1..3, limit, admission line or
-- false, warn, alert, stop line, mode, owner as JSON, lowest line that may be alerted or false].
-- Client text stays JSON: it is never re-encoded.

local UNITS = {'usd', 'tokens', 'requests'}
local PARTS = {pending = 0, posted = 3, held = 6}
local TRIPLE = '(%-?%d+),(%-?%d+),(%-?%d+),'
local NUMBERS_AND_CROSSED = '^' .. TRIPLE .. TRIPLE .. TRIPLE .. '"([^"]*)"$'

local function triple(amount)
  return '[' .. whole(amount[1]) .. ',' .. whole(amount[2]) .. ',' .. whole(amount[3]) .. ']'
end

-- Three numbers of a text such as '1,2,3'.
local function amount_of(text)
  local usd, tokens, requests = string.match(text, '^(%-?%d+),(%-?%d+),(%-?%d+)$')
  return {tonumber(usd), tonumber(tokens), tonumber(requests)}
end

-- Nine numbers, as text, and then the tiers crossed. An edited counter ends the script, before anything was written.
local function numbers_of(text)
  local numbers = {string.match(text, NUMBERS_AND_CROSSED)}
  if not numbers[1] then error('EDITED') end
  return numbers
end

local function count(numbers, part, unit)
  return tonumber(numbers[PARTS[part] + unit])
end

-- The exact sum of a number's digits and an amount: below 2^53 in doubles, above in two halves of twelve digits.
local function sum_of(digits, amount)
  local sum = digits + amount
  if math.abs(sum) < EXACT and math.abs(digits) < EXACT then return whole(sum) end
  local size = amount < 0 and -amount or amount
  local low, high = tonumber(string.sub(digits, -12)), tonumber(string.sub(digits, 1, -13)) or 0
  local more_low = size % 1e12
  local more_high = (size - more_low) / 1e12
  if amount < 0 then more_low, more_high = -more_low, -more_high end
  low, high = low + more_low, high + more_high
  if low < 0 then low, high = low + 1e12, high - 1 end
  if low >= 1e12 then low, high = low - 1e12, high + 1 end
  return high == 0 and whole(low) or whole(high) .. string.format('%012.0f', low)
end

-- Add to one part of a counter's numbers.
local function add(numbers, part, amount, sign)
  for unit = 1, 3 do
    local at = PARTS[part] + unit
    numbers[at] = sum_of(numbers[at], sign * amount[unit])
  end
end

local function text_of(numbers)
  return table.concat(numbers, ',', 1, 9) .. ',"' .. numbers[10] .. '"'
end

-- Read the counters of a plan that are not in our hands yet, all in one command.
local function fetch(plan)
  local missing = {}
  for _, charge in ipairs(plan) do
    if not values[charge[1]] then missing[#missing + 1] = charge[1] end
  end
  if not missing[1] then return end
  local found = redis.call('HMGET', HEAD, unpack(missing))
  for index, suffix in ipairs(missing) do keep(suffix, found[index]) end
end

local function texts_of(plan)
  local found = {}
  fetch(plan)
  for index, charge in ipairs(plan) do found[index] = values[charge[1]] end
  return found
end

local function scope_per(charge)
  return charge[2] .. ',"' .. charge[3] .. '"'
end

local function scope_per_label(charge)
  return scope_per(charge) .. ',"' .. charge[4] .. '"'
end

local function counters_json(plan)
  local names = {}
  for index, charge in ipairs(plan) do names[index] = '[' .. scope_per_label(charge) .. ']' end
  return '[' .. table.concat(names, ',') .. ']'
end

-- The first to see a tier reached writes that down and puts one message into the outbox.
local function cross(charge, limit, tier, used, workflow, crossed)
  local unit, suffix = UNITS[limit[1]], charge[1]
  local mark, text = ' ' .. unit .. '.' .. tier, values[suffix]
  if string.find(text, mark .. ' ', 1, true) or string.find(text, mark .. '"', 1, true) then return end
  values[suffix] = string.sub(text, 1, -2) .. mark .. '"'
  redis.call('HSET', HEAD, suffix, values[suffix])
  local id = string.format('%012.0f', redis.call('HINCRBY', HEAD, 'deliveries', 1))
  local payload = '{"at":' .. whole(NOW) .. ',"label":"' .. charge[4] .. '","limit":' .. whole(limit[2]) .. ',"mode":"' .. limit[7]
    .. '","owner":' .. limit[8] .. ',"per":"' .. charge[3] .. '","resets_at":' .. whole(charge[5]) .. ',"scope":' .. charge[2]
    .. ',"tier":"' .. tier .. '","unit":"' .. unit .. '","used":' .. whole(used) .. ',"workflow":' .. workflow .. '}'
  redis.call('HSET', PREFIX .. 'delivery:' .. id, 'payload', payload, 'attempts', 0)
  redis.call('ZADD', OUTBOX, whole(NOW), id)
  crossed[#crossed + 1] = '[' .. scope_per_label(charge) .. ',"' .. unit .. '","' .. tier .. '"]'
end

-- The tiers of a limit, the lowest first; of two at one line, the one that is usually lower.
local function tiers_of(limit)
  local tiers = {{name = 'warn', line = limit[4], rank = 1}, {name = 'alert', line = limit[5], rank = 2},
    {name = 'stop', line = limit[6], rank = 3}}
  table.sort(tiers, function(one, other)
    if one.line ~= other.line then return one.line < other.line end
    return one.rank < other.rank
  end)
  return tiers
end

-- Cross every tier whose line is reached by what stands posted and held now; a unit in `stopped` was refused for good, which crosses
-- `stop` even if a little is left under the line.
local function cross_reached(charge, stopped, workflow, crossed)
  local numbers = nil
  for _, limit in ipairs(charge[6]) do
    if limit[9] then
      local unit = limit[1]
      numbers = numbers or numbers_of(values[charge[1]])
      local used = count(numbers, 'posted', unit) + count(numbers, 'held', unit)
      local is_stopped = stopped[unit] and limit[3]
      if used >= limit[9] or is_stopped then
        for _, tier in ipairs(tiers_of(limit)) do
          if used >= tier.line or (is_stopped and tier.name == 'stop') then
            cross(charge, limit, tier.name, used, workflow, crossed)
          end
        end
      end
    end
  end
end
