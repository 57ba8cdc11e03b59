-- The registry: what the whole sale must agree on. Every database has these tables; only the transfer pool's has the
-- sale row, and without that row every function of the registry refuses.
--
-- Lock order: stock row, then sale row, then rows of registry_nodes and registry_shards (guarded by the sale row).
-- What touches stock, supplied or owed takes both; everything else the sale row alone.

CREATE TYPE resize_step AS ENUM ('none', 'draining', 'rebuilding');

CREATE TABLE sale (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  incarnation text NOT NULL,
  generation bigint NOT NULL DEFAULT 0,
  part bigint NOT NULL DEFAULT 0,
  target bigint NOT NULL DEFAULT 0 CHECK (target BETWEEN 0 AND 9007199254740991),
  supplied bigint NOT NULL DEFAULT 0 CHECK (supplied >= 0),
  owed bigint NOT NULL DEFAULT 0 CHECK (owed BETWEEN 0 AND supplied),
  layout integer NOT NULL DEFAULT 0,
  count integer NOT NULL DEFAULT 0,
  wanted integer NOT NULL DEFAULT 0,
  resize resize_step NOT NULL DEFAULT 'none',
  resizing_to integer,
  paused boolean NOT NULL DEFAULT false,
  asked bigint NOT NULL DEFAULT 0,
  term bigint NOT NULL DEFAULT 0,
  CHECK ((resize = 'none') = (resizing_to IS NULL))
);
COMMENT ON TABLE sale IS 'One row in the pool''s database, none elsewhere.';
COMMENT ON COLUMN sale.generation IS 'Of the last set_supply; part counts the supply rows written for it.';
COMMENT ON COLUMN sale.supplied IS 'The sum of the ledger''s supply rows.';
COMMENT ON COLUMN sale.owed IS 'Units taken back from the nodes for a lowered target, and not yet taken out of stock.';
COMMENT ON COLUMN sale.count IS 'Nodes c0 … c(count − 1) take purchases under this layout; 0: none yet.';
COMMENT ON COLUMN sale.wanted IS 'How many the resource asks for. A running resize goes to resizing_to and is not diverted.';
COMMENT ON COLUMN sale.asked IS 'The newest generation that any wish of the resource had; older ones are refused.';
COMMENT ON COLUMN sale.term IS 'The newest balancer''s.';

CREATE TABLE registry_nodes (
  node text COLLATE "C" PRIMARY KEY CHECK (node ~ '^c(0|[1-9][0-9]{0,5})$'),
  number integer GENERATED ALWAYS AS (substr(node, 2)::integer) STORED,
  epoch bigint NOT NULL DEFAULT 0,
  granted bigint NOT NULL DEFAULT 0,
  revoked bigint NOT NULL DEFAULT 0,
  reachable boolean NOT NULL DEFAULT true,
  CHECK (revoked BETWEEN 0 AND granted)
);
COMMENT ON TABLE registry_nodes IS 'Lifetime totals per cache node: granted − revoked = V + live tokens + units ever ordered through it. Rows stay when a node leaves.';

CREATE TABLE registry_shards (
  shard text COLLATE "C" PRIMARY KEY CHECK (shard ~ '^s(0|[1-9][0-9]{0,5})$'),
  shard_incarnation text NOT NULL,
  joined boolean NOT NULL DEFAULT false,
  cancelled bigint NOT NULL DEFAULT 0,
  credited bigint NOT NULL DEFAULT 0,
  CHECK (credited BETWEEN 0 AND cancelled)
);
COMMENT ON COLUMN registry_shards.cancelled IS 'Lifetime total of cancelled units, as the shard''s own agent told it from the shard''s database.';
COMMENT ON COLUMN registry_shards.credited IS 'Of those, the ones that became virtual stock again.';
