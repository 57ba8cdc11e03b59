-- Takes virtual stock and leaves tokens, or hands buyers' live ones out again, or does nothing (R4, R5, R27): for each
-- purchase of the call as if it had come alone, after the ones before it.
-- The one script every buyer waits for: what is the same for all is read and written once, and strings stay strings,
-- because commands and turning numbers into text are what costs here.
--
-- User: storefront.
-- Keys: node (identity, virtual), pinned, sequences (the buyer of each sequence number), b:<buyer> (see record.lua)
-- ARGV: 1 identity "<incarnation> <epoch> <layout> selling"   2 ttl (ms)   3 most units a buyer may ever order
--       4 how many reservations may lapse before their buyer has to wait   5 how long, after the last one (ms)
--       then per purchase: token id, buyer, quantity, shard
-- Result: {now: s, now: µs, an answer for each purchase, …}
--           "token <sequence>"    a new one, issued now
--           "live <record>"    the live token of before
--           "lapsed <reservations that lapsed> <until when the buyer has to wait: ms>"
--           "limit <units ever ordered>"
--           "short <virtual>"
--         or {'stale', {identity, node, count}}: the identity is another one, or none; nothing was done

local call, find, match, format = redis.call, string.find, string.match, string.format

local node = call('HMGET', 'node', 'identity', 'virtual')
if node[1] ~= ARGV[1] then return { 'stale', call('HMGET', 'node', 'identity', 'node', 'count') } end

local left, limit = tonumber(node[2]), tonumber(ARGV[3])
local most_lapsed, cooldown = tonumber(ARGV[4]), tonumber(ARGV[5])
local time = call('TIME')
local issued = ' ' .. ARGV[2] .. ' ' .. time[1] .. ' ' .. time[2] .. ' '
local sequence = call('LLEN', 'sequences')
-- What is to be written in the end: units by shard, buyers by sequence number, records by key.
local pins, buyers, writes, written = {}, {}, {}, {}

local function reserve(id, buyer, quantity, shard, key, record)
  local ordered, account = '0', '0'
  if record then
    if find(record, '^%S+ %d+ L') then return 'live ' .. record end
    ordered = match(record, '^%d+')
    account = ordered
    local lapsed, last = match(record, '^%d+:(%d+):(%d+)')
    if lapsed then
      local now = time[1] * 1000 + math.floor(time[2] / 1000)
      -- A lapse in the future is one from before the clock jumped back: like an old one, it counts no more.
      if last - now <= 0 and last + cooldown > now then
        if lapsed - most_lapsed >= 0 then return format('lapsed %d %.0f', lapsed, last + cooldown) end
        account = match(record, '^%S+')
      end
    end
  end
  if ordered + quantity > limit then return 'limit ' .. ordered end
  if left - quantity < 0 then return 'short ' .. left end
  left = left - quantity
  sequence = sequence + 1
  local number = sequence .. ''
  pins[shard] = (pins[shard] or 0) + quantity
  buyers[#buyers + 1] = buyer
  written[key] = account .. ' ' .. number .. ' L ' .. shard .. ' ' .. quantity .. issued .. id
  writes[#writes + 1] = key
  writes[#writes + 1] = written[key]
  return 'token ' .. number
end

local keys = {}
for i = 7, #ARGV, 4 do keys[#keys + 1] = 'b:' .. ARGV[i] end
local records = call('MGET', unpack(keys))
local answers = { time[1], time[2] }
for n, key in ipairs(keys) do
  local i = 4 * n + 2
  answers[n + 2] = reserve(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], key, written[key] or records[n])
end

if #buyers > 0 then
  call('HINCRBY', 'node', 'virtual', format('%d', left - node[2]))
  for shard, units in pairs(pins) do call('HINCRBY', 'pinned', shard, format('%d', units)) end
  call('RPUSH', 'sequences', unpack(buyers))
  call('MSET', unpack(writes))
end
return answers
