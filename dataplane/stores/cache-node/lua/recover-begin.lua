-- Step 2 of a recovery: forgets everything and stores which recovery this is, unless that one or a newer one began here
-- before. Every later write of the recovery requires the mark. Without an identity no script of a storefront does anything.
--
-- User: agent.
-- Keys: all; node (recovering "<incarnation> <epoch>", run: the server process it began in)
-- ARGV: 1 incarnation   2 epoch
-- Result: 1, or 0: nothing was done

local mark = redis.call('HGET', 'node', 'recovering')
if mark then
  local incarnation, epoch = string.match(mark, '^(%S+) (%d+)$')
  if incarnation == ARGV[1] and tonumber(epoch) >= tonumber(ARGV[2]) then return 0 end
end
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
redis.call('FLUSHDB', 'ASYNC')
redis.call('HSET', 'node', 'recovering', ARGV[1] .. ' ' .. ARGV[2], 'run', run)
return 1
