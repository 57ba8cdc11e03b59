-- Takes virtual stock away for another node, or for good: it falls by at most what is asked for, the lifetime total
-- `revoked` rises by the same. The registry books the total, so a lost answer strands nothing.
--
-- User: pool.
-- Keys: node (identity, virtual, revoked)
-- ARGV: 1 "<incarnation> <epoch> "   2 units
-- Result: {revoked, virtual} after it, or false: another epoch, nothing was done
--
-- include record

if not has_identity(ARGV[1]) then return false end
local node = redis.call('HMGET', 'node', 'revoked', 'virtual')
local units = math.min(node[2], ARGV[2])
if units <= 0 then return { tonumber(node[1]), tonumber(node[2]) } end
return {
  redis.call('HINCRBY', 'node', 'revoked', string.format('%d', units)),
  redis.call('HINCRBY', 'node', 'virtual', string.format('%d', -units)),
}
