-- Reads everything that a node counts, at one instant.
--
-- Users: agent, pool, audit.
-- Keys: node, pinned, sequences
-- Result: {{field, value, …} of node, {shard, units, …} pinned, tokens ever issued}

return { redis.call('HGETALL', 'node'), redis.call('HGETALL', 'pinned'), redis.call('LLEN', 'sequences') }
