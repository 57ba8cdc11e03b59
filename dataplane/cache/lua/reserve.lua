-- Takes virtual stock and leaves a token, or hands the buyer's live one out again, or does nothing (R4, R5, R27).
-- The one script every buyer waits for: strings stay strings, because turning numbers into text is what costs here.
--
-- User: storefront.
-- Keys: node (stamp, virtual), pinned, issues (the buyer of each issue number), b:<buyer> (see record.lua)
-- ARGV: 1 stamp "<incarnation> <epoch> <layout> selling"
--       2 token id   3 buyer   4 quantity   5 shard   6 ttl (ms)   7 most units a buyer may ever order
-- Result: "<issue> <issued at: s> <µs>"              a new token
--         {'live', record, now: s, now: µs}          the live token of before
--         {'stale', {stamp, node, count}}            the stamp is another one, or none
--         {'limit', units ever ordered}
--         {'short', virtual, {units of live tokens by shard}}

local call = redis.call
local quantity = ARGV[4]

local node = call('HMGET', 'node', 'stamp', 'virtual')
if node[1] ~= ARGV[1] then return { 'stale', call('HMGET', 'node', 'stamp', 'node', 'count') } end

local key = 'b:' .. ARGV[3]
local record = call('GET', key)
local ordered = '0'
if record then
  if string.find(record, '^%d+ %d+ L') then
    local now = call('TIME')
    return { 'live', record, now[1], now[2] }
  end
  ordered = string.match(record, '^%d+')
end
if ordered + quantity > tonumber(ARGV[7]) then return { 'limit', ordered } end
if node[2] - quantity < 0 then return { 'short', node[2], call('HVALS', 'pinned') } end

local now = call('TIME')
call('HINCRBY', 'node', 'virtual', '-' .. quantity)
call('HINCRBY', 'pinned', ARGV[5], quantity)
local issue = call('RPUSH', 'issues', ARGV[3]) .. ''
call('SET', key, ordered .. ' ' .. issue .. ' L ' .. ARGV[5] .. ' ' .. quantity .. ' ' .. ARGV[6] .. ' ' .. now[1] .. ' ' .. now[2] .. ' ' .. ARGV[2])
return issue .. ' ' .. now[1] .. ' ' .. now[2]
