-- Included by the scripts that read tokens (a line `-- include record`).
--
-- b:<buyer> is all a node knows of a buyer:
--   "<units ever ordered>"
--   "<units ever ordered> <issue> <L|S> <shard> <quantity> <ttl ms> <issued at: s> <µs> <id>"
-- with the buyer's newest token: L live, S settled. A returned token leaves no trace. At most one token of a buyer is
-- live, because reserve hands the live one out again (R27).

local function parse(record)
  local ordered, issue, state, shard, quantity, ttl, seconds, micros, id =
    string.match(record, '^(%d+) (%d+) (%a) (%S+) (%d+) (%d+) (%d+) (%d+) (.+)$')
  return {
    ordered = ordered, issue = issue, state = state, shard = shard, quantity = quantity,
    ttl = ttl, seconds = seconds, micros = micros, id = id,
  }
end

-- The buyer's token if it is this one and live, else nil.
local function live(record, issue, id)
  if not record then return nil end
  local token = parse(record)
  if token.state == 'L' and token.issue == issue and token.id == id then return token end
  return nil
end

-- What is said of a node whose stamp begins like this; false otherwise.
local function stamped(expected)
  local stamp = redis.call('HGET', 'node', 'stamp')
  return stamp and string.sub(stamp, 1, #expected) == expected
end
