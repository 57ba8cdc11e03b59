-- Included by the scripts that read tokens (a line `-- include record`).
--
-- b:<buyer> is all a node knows of a buyer:
--   "<units ever ordered>"
--   "<units ever ordered> <sequence> <L|S> <shard> <quantity> <ttl ms> <issued at: s> <µs> <id>"
-- with the buyer's newest token: L live, S settled. A returned token leaves no trace. At most one token of a buyer is
-- live, because reserve hands the live one out again (R27).

local function parse(record)
  local ordered, sequence, state, shard, quantity, ttl, seconds, micros, id =
    string.match(record, '^(%d+) (%d+) (%a) (%S+) (%d+) (%d+) (%d+) (%d+) (.+)$')
  return {
    ordered = ordered, sequence = sequence, state = state, shard = shard, quantity = quantity,
    ttl = ttl, seconds = seconds, micros = micros, id = id,
  }
end

-- The buyer's token if it is this one and live, else nil.
local function live(record, sequence, id)
  if not record then return nil end
  local token = parse(record)
  if token.state == 'L' and token.sequence == sequence and token.id == id then return token end
  return nil
end

-- True when the node's identity begins like this.
local function has_identity(expected)
  local identity = redis.call('HGET', 'node', 'identity')
  return identity and string.sub(identity, 1, #expected) == expected
end
