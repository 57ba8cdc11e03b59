-- Tokens became orders, as their storefront saw it: live → settled, the buyer's units counted, the shard's pin gone.
-- An unknown token, one that is not live, or another epoch: left as it is (the expiry finds the order).
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
