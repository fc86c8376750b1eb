-- One reservation, KEYS[7]. Answers {'shown', state, made, cost, resolved_at}, as moves.lua describes them; open.lua answers the same.

local state, made, cost, resolved_at = stored_reservation(KEYS[7])
return {'shown', {state or false, made or false, cost or false, resolved_at or false}}
