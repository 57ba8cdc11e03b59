-- The end of step 5 of a recovery: writes the numbers and, with them, the identity. It works only in the server process
-- that the recovery began in: one that fsyncs every second may have lost some of the records in a restart in between.
--
-- User: agent.
-- Keys: node
-- ARGV: 1 "<incarnation> <epoch>" of the recovery   2 layout   3 mode   4 node   5 nodes in the layout
--       6 granted   7 revoked   8 units ever ordered through the node
-- Result: 1, or 0: another recovery, another process, or this one has ended; nothing was done

local node = redis.call('HMGET', 'node', 'recovering', 'identity', 'run')
if node[1] ~= ARGV[1] or node[2] then return 0 end
if node[3] ~= string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') then return 0 end
local virtual = ARGV[6] - ARGV[7] - ARGV[8]
if virtual < 0 then return redis.error_reply('ERR more was ordered and revoked than was granted') end
redis.call('HSET', 'node',
  'identity', ARGV[1] .. ' ' .. ARGV[2] .. ' ' .. ARGV[3], 'node', ARGV[4], 'count', ARGV[5],
  'virtual', string.format('%d', virtual), 'granted', ARGV[6], 'revoked', ARGV[7], 'orderedBefore', ARGV[8])
return 1
