-- Takes virtual stock away for another node, or for good: V falls by at most what is asked for, the lifetime total
-- `revoked` rises by the same. The registry books the total, so a lost answer strands nothing.
--
-- User: pool.
-- Keys: node (stamp, virtual, revoked)
-- ARGV: 1 "<incarnation> <epoch> "   2 units
-- Result: {revoked, virtual} after it, or false: another epoch, nothing was done
--
-- include record

if not stamped(ARGV[1]) then return false end
local virtual = tonumber(redis.call('HGET', 'node', 'virtual'))
local units = string.format('%d', math.min(virtual, ARGV[2]))
return {
  redis.call('HINCRBY', 'node', 'revoked', units),
  redis.call('HINCRBY', 'node', 'virtual', '-' .. units),
}
