-- Included by the scripts that end tokens (a line `-- include ending`, after record). Both take a live token and leave
-- it not live, so that each token is counted once; the caller adds up what they answer.

-- Settles a token that became an order. Answers its units.
local function settle(key, token)
  local record = string.format('%d %s S %s %s %s %s %s %s', token.ordered + token.quantity, token.sequence, token.shard,
    token.quantity, token.ttl, token.seconds, token.micros, token.id)
  redis.call('SET', key, record)
  redis.call('HINCRBY', 'pinned', token.shard, '-' .. token.quantity)
  return tonumber(token.quantity)
end

-- Returns a token that is no order and never will be one. Answers its units.
local function give_back(key, token)
  if token.ordered == '0' then
    redis.call('DEL', key)
  else
    redis.call('SET', key, token.ordered)
  end
  redis.call('HINCRBY', 'pinned', token.shard, '-' .. token.quantity)
  return tonumber(token.quantity)
end

local function count(field, number)
  if number > 0 then redis.call('HINCRBY', 'node', field, string.format('%d', number)) end
end
