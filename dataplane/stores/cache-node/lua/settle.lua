-- Settles tokens that became orders, as their storefront saw it: a live token is settled, the buyer's units are counted,
-- and the shard's pin is gone. A token that is unknown, not live or of another epoch is left as it is (the expiry finds
-- the order).
--
-- User: storefront.
-- Keys: node (identity, settledTokens, settledUnits), pinned, b:<buyer>
-- ARGV: 1 "<incarnation> <epoch> ", then per token: sequence, id, buyer
-- Result: how many were settled
--
-- include record
-- include ending

if not has_identity(ARGV[1]) then return 0 end
local tokens, units = 0, 0
for i = 2, #ARGV, 3 do
  local key = 'b:' .. ARGV[i + 2]
  local token = live(redis.call('GET', key), ARGV[i], ARGV[i + 1])
  if token then
    tokens = tokens + 1
    units = units + settle(key, token)
  end
end
count('settledTokens', tokens)
count('settledUnits', units)
return tokens
