-- Lets purchases through or not, by rewriting the last word of the identity. A draining node stays draining until it takes a
-- newer layout: an agent that was held up cannot set it selling again behind the resize.
--
-- User: agent.
-- Keys: node (identity, modeChanges)
-- ARGV: 1 "<incarnation> <epoch> <layout> "   2 selling, paused or draining
-- Result: 1, or 0: another identity, or draining
--
-- include record

if not has_identity(ARGV[1]) then return 0 end
local identity, wanted = redis.call('HGET', 'node', 'identity'), ARGV[1] .. ARGV[2]
if identity == wanted then return 1 end
if identity == ARGV[1] .. 'draining' then return 0 end
redis.call('HSET', 'node', 'identity', wanted)
redis.call('HINCRBY', 'node', 'modeChanges', '1')
return 1
