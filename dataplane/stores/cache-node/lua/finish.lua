-- Ends tokens whose shards are fenced: those with an order are settled, the others returned, their units virtual stock
-- again and their buyers free (R28). Tokens that are not live are left as they are, so it may be repeated.
--
-- User: agent.
-- Keys: node (identity, virtual, settledTokens, settledUnits, returnedTokens, returnedUnits), pinned, b:<buyer>
-- ARGV: 1 "<incarnation> <epoch> ", then per token: sequence, id, buyer, 1 (has an order) or 0
-- Result: {settled, returned}, or false: another epoch, nothing was done
--
-- include record
-- include ending

if not has_identity(ARGV[1]) then return false end
local settled, settled_units, returned, returned_units = 0, 0, 0, 0
for i = 2, #ARGV, 4 do
  local key = 'b:' .. ARGV[i + 2]
  local token = live(redis.call('GET', key), ARGV[i], ARGV[i + 1])
  if token and ARGV[i + 3] == '1' then
    settled = settled + 1
    settled_units = settled_units + settle(key, token)
  elseif token then
    returned = returned + 1
    returned_units = returned_units + give_back(key, token)
  end
end
count('settledTokens', settled)
count('settledUnits', settled_units)
count('returnedTokens', returned)
count('returnedUnits', returned_units)
count('virtual', returned_units)
return { settled, returned }
