-- Applies what the registry granted: virtual stock rises by the total less what was applied before. A repeat or an older total changes nothing.
--
-- Users: agent, pool.
-- Keys: node (identity, virtual, granted)
-- ARGV: 1 "<incarnation> <epoch> "   2 the registry's lifetime total
-- Result: units applied, or false: another epoch, nothing was done
--
-- include record

if not has_identity(ARGV[1]) then return false end
local units = ARGV[2] - redis.call('HGET', 'node', 'granted')
if units <= 0 then return 0 end
redis.call('HSET', 'node', 'granted', ARGV[2])
redis.call('HINCRBY', 'node', 'virtual', string.format('%d', units))
return units
