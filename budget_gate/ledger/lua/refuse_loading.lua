-- Behind shared.lua in all scripts but those that fill a ledger or look at one that is being filled: until all is there, nobody
-- may see a part of it, and nobody may write between two parts.

if head[5] then return {'loading'} end
