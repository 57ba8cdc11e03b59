-- Included by the scripts that end tokens (a line `-- include ending`, after record). Both take a live token and leave
-- it not live, so that each token is counted once; the caller adds up what they answer.

-- Settles a token that became an order, and forgives the buyer what lapsed before. Answers its units.
local function settle(key, token)
  local record = string.format('%d %s S %s %s %s %s %s %s', token.ordered + token.quantity, token.sequence, token.shard,
    token.quantity, token.ttl, token.seconds, token.micros, token.id)
  redis.call('SET', key, record)
  redis.call('HINCRBY', 'pinned', token.shard, '-' .. token.quantity)
  return tonumber(token.quantity)
end

-- Returns a token that is no order and never will be one, and counts it. Answers its units.
local function give_back(key, token)
  local lapsed = tonumber(string.match(token.lapses, '^:(%d+)') or 0) + 1
  local due = token.seconds * 1000 + math.floor(token.micros / 1000) + token.ttl
  redis.call('SET', key, string.format('%d:%d:%.0f', token.ordered, lapsed, due))
  redis.call('HINCRBY', 'pinned', token.shard, '-' .. token.quantity)
  return tonumber(token.quantity)
end

local function count(field, number)
  if number > 0 then redis.call('HINCRBY', 'node', field, string.format('%d', number)) end
end
