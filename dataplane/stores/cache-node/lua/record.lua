-- Included by the scripts that read tokens (a line `-- include record`).
--
-- b:<buyer> is all a node knows of a buyer:
--   "<account>"
--   "<account> <sequence> <L|S> <shard> <quantity> <ttl ms> <issued at: s> <µs> <id>"
-- with the buyer's newest token: L live, S settled. At most one token of a buyer is live, because reserve hands the live
-- one out again (R27). A returned token leaves nothing but its count. The account is
--   "<units ever ordered>"  or  "<units ever ordered>:<reservations that lapsed>:<when the last one was due: ms>"
-- with the reservations that lapsed since the buyer's last order.

local function parse(record)
  local ordered, lapses, sequence, state, shard, quantity, ttl, seconds, micros, id =
    string.match(record, '^(%d+)(%S*) (%d+) (%a) (%S+) (%d+) (%d+) (%d+) (%d+) (.+)$')
  return {
    ordered = ordered, lapses = lapses, sequence = sequence, state = state, shard = shard, quantity = quantity,
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
