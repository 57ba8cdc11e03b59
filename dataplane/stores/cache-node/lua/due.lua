-- Finds the tokens that are to end: the longest run of sequence numbers that are not live or due. Its end is stored as
-- `closing` before anything is closed. `head` is where looking starts: nothing up to it is live any more.
--
-- A token is due when its time to live has passed by this server's clock. One issued more than a second in the future
-- is due too: the clock jumped back, and would keep it for as long as it jumped. (A smaller step back is let pass.)
--
-- User: agent.
-- Keys: node (identity, head, closing), sequences, b:<buyer>
-- ARGV: 1 "<incarnation> <epoch> "   2 look above this sequence number   3 how many numbers to look at
-- Result: {end of the run or 0, last number looked at, 1 if the run may go on behind it, now: s, now: µs,
--          {sequence, buyer, record, …}}, or false: another epoch
--
-- include record

if not has_identity(ARGV[1]) then return false end
local stored = redis.call('HMGET', 'node', 'head', 'closing')
local head, closing = tonumber(stored[1] or 0), tonumber(stored[2] or 0)
local from = math.max(head, tonumber(ARGV[2]))
local time = redis.call('TIME')
local now = time[1] + time[2] / 1e6

local function due(token)
  local issued = token.seconds + token.micros / 1e6
  return issued + token.ttl / 1000 <= now or issued > now + 1
end

local limit = tonumber(ARGV[3])
local tokens, looked, clear = {}, from, head
for i, buyer in ipairs(redis.call('LRANGE', 'sequences', from, from + limit - 1)) do
  local sequence = from + i
  local record = redis.call('GET', 'b:' .. buyer)
  local token = record and parse(record)
  if token and token.state == 'L' and tonumber(token.sequence) == sequence then
    if not due(token) then break end
    tokens[#tokens + 1] = sequence
    tokens[#tokens + 1] = buyer
    tokens[#tokens + 1] = record
  elseif clear == sequence - 1 then
    clear = sequence
  end
  looked = sequence
end
if clear > head then redis.call('HSET', 'node', 'head', string.format('%d', clear)) end
local up_to = #tokens > 0 and looked or 0
if up_to > closing then redis.call('HSET', 'node', 'closing', string.format('%d', up_to)) end
return { up_to, looked, looked == from + limit and 1 or 0, time[1], time[2], tokens }
