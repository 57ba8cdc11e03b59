-- Step 5 of a recovery, in as many calls as it takes: writes what some buyers ever ordered.
--
-- User: agent.
-- Keys: node (recovering, identity), b:<buyer>
-- ARGV: 1 "<incarnation> <epoch>" of the recovery, then per buyer: buyer, units ever ordered
-- Result: 1, or 0: another recovery, or this one has ended; nothing was done

local node = redis.call('HMGET', 'node', 'recovering', 'identity')
if node[1] ~= ARGV[1] or node[2] then return 0 end
for i = 2, #ARGV, 2 do redis.call('SET', 'b:' .. ARGV[i], ARGV[i + 1]) end
return 1
