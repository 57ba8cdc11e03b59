-- The state of one shard. The transfer pool is a shard that serves no orders.
--
-- Whatever changes stock, orders or fences locks the one stock row first, in a statement of its own (003_locking).
-- So versions are gap-free and commit in order, and the ledger is the transactional queue (R10), the audit trail and
-- the replay source at once. Tables are written by the functions of the later files only.

-- Least privilege: a function is callable by those it is granted to, a table readable by the audit, and nothing else.
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA flashsale GRANT SELECT ON TABLES TO flashsale_audit;
GRANT SELECT ON migrations TO flashsale_audit;
GRANT USAGE ON SCHEMA flashsale TO flashsale_storefront, flashsale_cache, flashsale_operator, flashsale_audit;
DO $$
BEGIN
  EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO flashsale_storefront, flashsale_cache, flashsale_operator, flashsale_audit',
    current_database());
END $$;

CREATE TABLE instance (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  peer_incarnation text NOT NULL,
  incarnation text,
  self text CHECK (self ~ '^(pool|s(0|[1-9][0-9]{0,5}))$'),
  CHECK ((incarnation IS NULL) = (self IS NULL))
);
COMMENT ON TABLE instance IS 'Who this database is: one row, written once by the migration and once by join or initialize.';
COMMENT ON COLUMN instance.peer_incarnation IS 'This database''s own life; a re-created one starts its versions anew.';
COMMENT ON COLUMN instance.incarnation IS 'The sale''s; null until joined. Every call carries it, and another one is refused.';
INSERT INTO instance (peer_incarnation) VALUES (gen_random_uuid()::text);

CREATE TABLE stock (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  -- Whole numbers that a JavaScript number holds exactly.
  available bigint NOT NULL DEFAULT 0 CHECK (available BETWEEN 0 AND 9007199254740991),
  version bigint NOT NULL DEFAULT 0,
  sold bigint NOT NULL DEFAULT 0,
  cancelled bigint NOT NULL DEFAULT 0,
  missed bigint NOT NULL DEFAULT 0,
  missed_max bigint NOT NULL DEFAULT 0,
  received bigint NOT NULL DEFAULT 0,
  command_term bigint NOT NULL DEFAULT 0,
  command_sequence bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
COMMENT ON TABLE stock IS 'One row: the stock, its version (that of the newest ledger row) and lifetime totals in units. Updates are HOT: no indexed column changes, and the page has room.';
COMMENT ON COLUMN stock.sold IS 'Ever ordered; cancelled ones stay counted.';
COMMENT ON COLUMN stock.cancelled IS 'Of those, cancelled; the registry makes them virtual stock again.';
COMMENT ON COLUMN stock.missed IS 'Asked for by valid tokens and not there at that moment; missed_max is the largest single quantity.';
COMMENT ON COLUMN stock.received IS 'Ever received for good; what the pool passed on is not among it.';
COMMENT ON COLUMN stock.command_term IS 'With command_sequence: the newest command executed.';
INSERT INTO stock DEFAULT VALUES;

CREATE TYPE ledger_kind AS ENUM
  ('supply', 'order', 'cancel', 'pay', 'refund_due', 'transfer_out', 'transfer_in');

CREATE TABLE ledger (
  version bigint PRIMARY KEY,
  delta bigint NOT NULL,
  at timestamptz NOT NULL,
  previous bigint,
  peer_version bigint,
  kind ledger_kind NOT NULL,
  ref text COLLATE "C" NOT NULL,
  peer text COLLATE "C",
  destination text COLLATE "C",
  payment_id text COLLATE "C"
);
COMMENT ON TABLE ledger IS 'One row for each version, in commit order; the deltas add up to stock.available (R9, R10). Never updated.';
COMMENT ON COLUMN ledger.ref IS 'What caused it, once per kind. order, cancel, pay: the token. refund_due: token/payment id. supply: generation.part. transfer_out: command term.sequence.leg, or sender@version of what the pool passes on. transfer_in: sender@version.';
COMMENT ON COLUMN ledger.peer IS 'transfer_out: the hop it goes to. transfer_in: the hop it came from.';
COMMENT ON COLUMN ledger.destination IS 'Of transfers: where the stock is to end.';
COMMENT ON COLUMN ledger.previous IS 'transfer_out: this shard''s transfer to the same hop before (0: none); the receiver applies in this order.';
COMMENT ON COLUMN ledger.peer_version IS 'transfer_in: the sender''s version.';
COMMENT ON COLUMN ledger.at IS 'By this shard''s clock; for people, never compared with another machine''s.';
-- Of an order, the primary key of orders says it: the row is written in the same function, and a second index of random
-- tokens would cost a fifth of all checkouts.
CREATE UNIQUE INDEX ledger_once ON ledger (kind, ref) WHERE kind <> 'order';
-- The newest transfer to a hop, and what is to be sent again.
CREATE INDEX ledger_out ON ledger (peer, version) WHERE kind = 'transfer_out';

CREATE TYPE order_status AS ENUM ('placed', 'paid', 'cancelled', 'final');

CREATE TABLE orders (
  token text COLLATE "C" PRIMARY KEY,
  buyer text NOT NULL,
  quantity bigint NOT NULL CHECK (quantity > 0),
  deadline timestamptz,
  node text COLLATE "C" NOT NULL,
  status order_status NOT NULL,
  payment_id text
);
COMMENT ON TABLE orders IS 'At most one for each token (R27). The buyer is personal data (R25): no index, no log, no metric holds it.';
COMMENT ON COLUMN orders.deadline IS 'For payment, by this shard''s clock; null: final at checkout.';
CREATE INDEX orders_overdue ON orders (deadline) WHERE status = 'placed';

CREATE TABLE nodes (
  node text COLLATE "C" PRIMARY KEY,
  epoch bigint NOT NULL,
  low_watermark bigint NOT NULL DEFAULT 0
);
COMMENT ON TABLE nodes IS 'The two numbers per cache node that refuse tokens. Both only rise; a new epoch starts low_watermark at 0.';

CREATE TABLE received (
  source text COLLATE "C" PRIMARY KEY,
  source_incarnation text NOT NULL,
  version bigint NOT NULL
);
COMMENT ON TABLE received IS 'The version of each sender''s transfer applied last.';

CREATE TABLE sent (
  destination text COLLATE "C" PRIMARY KEY,
  units bigint NOT NULL
);
COMMENT ON TABLE sent IS 'Units ever sent from here, by final destination. What the pool only passed on is not among it.';

CREATE TABLE relay (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  version bigint NOT NULL DEFAULT 0
);
COMMENT ON TABLE relay IS 'Order events up to this version were handed to the queue (R11). A bookmark, not state: it may lag.';
INSERT INTO relay DEFAULT VALUES;
