-- Lets purchases through or not: rewrites the last word of the stamp. A draining node stays draining until it takes a
-- newer layout: an agent that was held up cannot set it selling again behind the resize.
--
-- User: agent.
-- Keys: node (stamp, stampings)
-- ARGV: 1 "<incarnation> <epoch> <layout> "   2 selling, paused or draining
-- Result: 1, or 0: another stamp, or draining
--
-- include record

if not stamped(ARGV[1]) then return 0 end
local stamp, wanted = redis.call('HGET', 'node', 'stamp'), ARGV[1] .. ARGV[2]
if stamp == wanted then return 1 end
if stamp == ARGV[1] .. 'draining' then return 0 end
redis.call('HSET', 'node', 'stamp', wanted)
redis.call('HINCRBY', 'node', 'stampings', '1')
return 1
