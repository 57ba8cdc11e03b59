-- What the migrations make, for review in one place. Made by test/integration/shard-sql/schema.test.ts from a
-- freshly migrated database (vitest --update); change the migrations, never this file.

CREATE SCHEMA flashsale;

CREATE TYPE flashsale.ledger_kind AS ENUM (
    'supply',
    'order',
    'cancel',
    'pay',
    'refund_due',
    'transfer_out',
    'transfer_in'
);

CREATE TYPE flashsale.order_status AS ENUM (
    'placed',
    'paid',
    'cancelled',
    'final'
);

CREATE TYPE flashsale.resize_step AS ENUM (
    'none',
    'draining',
    'rebuilding'
);

CREATE FUNCTION flashsale.book(p_incarnation text, p_node text, p_epoch bigint, p_revoked_total bigint, p_grant_to text) RETURNS TABLE(booked bigint, owed bigint, granted bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'flashsale', 'pg_temp'
    AS $$
#variable_conflict use_column
DECLARE
  v_sale sale := lock_stock_and_sale(p_incarnation);
  v_units bigint;
  v_owed bigint;
BEGIN
  SELECT p_revoked_total - n.revoked INTO v_units FROM registry_nodes n WHERE n.node = p_node AND n.epoch = p_epoch;
  IF NOT FOUND OR v_units <= 0 THEN
    RETURN QUERY VALUES (0::bigint, 0::bigint, 0::bigint);
    RETURN;
  END IF;
  v_owed := least(v_units, greatest(0, v_sale.supplied - v_sale.owed - v_sale.target));
  IF NOT may_grant(v_sale, p_grant_to) THEN
    RETURN QUERY VALUES (0::bigint, 0::bigint, 0::bigint);
    RETURN;
  END IF;
  UPDATE sale SET owed = owed + v_owed;
  UPDATE registry_nodes SET revoked = p_revoked_total WHERE node = p_node;
  UPDATE registry_nodes SET granted = granted + v_units - v_owed WHERE node = p_grant_to;
  RETURN QUERY VALUES (v_units, v_owed, v_units - v_owed);
END $$;

CREATE FUNCTION flashsale.cancel(p_incarnation text, p_token text, p_buyer text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'flashsale', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
DECLARE
  v_order orders;
BEGIN
  PERFORM lock_stock(p_incarnation);
  IF NOT EXISTS (SELECT FROM orders WHERE token = p_token AND buyer = p_buyer) THEN
    RETURN '{"kind": "unknown"}';
  END IF;
  PERFORM cancel_placed(ARRAY[p_token]);
  SELECT * INTO v_order FROM orders WHERE token = p_token;
  RETURN jsonb_build_object('kind', v_order.status, 'order', describe(v_order));
END $$;

CREATE FUNCTION flashsale.cancel_overdue(p_limit bigint) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'flashsale', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
DECLARE
  v_now timestamptz := clock_timestamp();
BEGIN
  -- Looking first keeps an agent that finds nothing off the lock; the lock then decides.
  IF NOT EXISTS (SELECT FROM orders WHERE status = 'placed' AND deadline <= v_now) THEN
    RETURN 0;
  END IF;
  PERFORM lock_stock();
  v_now := clock_timestamp();
  RETURN cancel_placed(ARRAY(
    SELECT token FROM orders
     WHERE status = 'placed' AND deadline <= v_now
     ORDER BY deadline LIMIT p_limit));
END $$;

CREATE FUNCTION flashsale.cancel_placed(p_tokens text[]) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
  v_version bigint := (SELECT version FROM stock);
  v_count bigint;
  v_units bigint;
BEGIN
  WITH c AS (
    UPDATE orders SET status = 'cancelled'
     WHERE token = ANY (p_tokens) AND status = 'placed'
    RETURNING token, quantity
  ), l AS (
    INSERT INTO ledger (version, kind, delta, ref, at)
    SELECT v_version + row_number() OVER (), 'cancel', quantity, token, clock_timestamp() FROM c
  )
  SELECT count(*), coalesce(sum(quantity), 0) INTO v_count, v_units FROM c;
  IF v_count > 0 THEN
    UPDATE stock SET
      available = available + v_units, cancelled = cancelled + v_units, version = version + v_count;
  END IF;
  RETURN v_count;
END $$;

CREATE FUNCTION flashsale.check_incarnation(p_incarnation text) RETURNS void
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
  v_incarnation text;
BEGIN
  SELECT incarnation INTO v_incarnation FROM instance;
  IF v_incarnation IS DISTINCT FROM p_incarnation OR p_incarnation IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'FS001', MESSAGE = CASE
      WHEN v_incarnation IS NULL THEN 'this shard has not joined a sale'
      ELSE 'this shard belongs to another incarnation of the sale' END;
  END IF;
END $$;

CREATE FUNCTION flashsale.check_isolation() RETURNS void
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION USING ERRCODE = 'FS002',
      MESSAGE = 'shard functions need READ COMMITTED, not ' || upper(current_setting('transaction_isolation'));
  END IF;
END $$;

CREATE FUNCTION flashsale.checkout(p_incarnation text, p_tokens text[], p_buyers text[], p_quantities bigint[], p_nodes text[], p_epochs bigint[], p_sequences bigint[], p_deadline_ms bigint) RETURNS text[]
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'flashsale', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
DECLARE
  v_stock stock := lock_stock(p_incarnation);
  v_now timestamptz := clock_timestamp();
  v_deadline timestamptz := v_now + p_deadline_ms * interval '1 millisecond';
  v_status order_status := CASE WHEN p_deadline_ms IS NULL THEN 'final' ELSE 'placed' END;
  v_rows integer := cardinality(p_tokens);
  v_outcomes text[];
  v_sold bigint;
  v_units bigint;
  v_missed bigint;
  v_missed_max bigint;
BEGIN
  -- The rule, and fast: all rows are new, good and fit, so none is looked at alone.
  SELECT count(*), sum(i.quantity) INTO v_sold, v_units
    FROM unnest(p_quantities, p_nodes, p_epochs, p_sequences) AS i (quantity, node, epoch, sequence)
    JOIN nodes f ON f.node = i.node AND f.epoch = i.epoch AND f.low_watermark < i.sequence;
  IF v_sold = v_rows AND v_units <= v_stock.available
    AND v_rows = (SELECT count(DISTINCT t.token) FROM unnest(p_tokens) AS t (token))
    AND NOT EXISTS (SELECT FROM orders WHERE token = ANY (p_tokens))
  THEN
    v_outcomes := array_fill('sold'::text, ARRAY[v_rows]);
  ELSE
    v_outcomes := classify_checkouts(v_stock.available, p_tokens, p_quantities, p_nodes, p_epochs, p_sequences);
    SELECT count(*) FILTER (WHERE i.outcome = 'sold'),
           coalesce(sum(i.quantity) FILTER (WHERE i.outcome = 'sold'), 0),
           sum(i.quantity) FILTER (WHERE i.outcome = 'short'),
           max(i.quantity) FILTER (WHERE i.outcome = 'short')
      INTO v_sold, v_units, v_missed, v_missed_max
      FROM unnest(p_quantities, v_outcomes) AS i (quantity, outcome);
  END IF;

  IF v_sold > 0 THEN
    INSERT INTO orders (token, buyer, quantity, node, status, deadline)
    SELECT i.token, i.buyer, i.quantity, i.node, v_status, v_deadline
      FROM unnest(p_tokens, p_buyers, p_quantities, p_nodes, v_outcomes) AS i (token, buyer, quantity, node, outcome)
     WHERE i.outcome = 'sold';
    INSERT INTO ledger (version, kind, delta, ref, at)
    SELECT v_stock.version + row_number() OVER (ORDER BY i.n), 'order', -i.quantity, i.token, v_now
      FROM unnest(p_tokens, p_quantities, v_outcomes) WITH ORDINALITY AS i (token, quantity, outcome, n)
     WHERE i.outcome = 'sold';
  END IF;
  IF v_sold > 0 OR v_missed > 0 THEN
    UPDATE stock SET
      available = available - v_units, version = version + v_sold, sold = sold + v_units,
      missed = missed + coalesce(v_missed, 0), missed_max = greatest(missed_max, v_missed_max);
  END IF;
  RETURN v_outcomes;
END $$;

CREATE FUNCTION flashsale.classify_checkouts(p_available bigint, p_tokens text[], p_quantities bigint[], p_nodes text[], p_epochs bigint[], p_sequences bigint[]) RETURNS text[]
    LANGUAGE plpgsql
    AS $$
DECLARE
  v_left bigint := p_available;
  v_sold text[] := '{}';
  v_outcomes text[] := '{}';
  r record;
BEGIN
  FOR r IN
    SELECT i.token, i.quantity, CASE
        WHEN o.status = 'cancelled' THEN 'cancelled'
        WHEN o.token IS NOT NULL THEN 'known'
        WHEN f.epoch = i.epoch AND i.sequence > f.low_watermark THEN 'good'
        ELSE 'expired' END AS outcome
      FROM unnest(p_tokens, p_quantities, p_nodes, p_epochs, p_sequences)
           WITH ORDINALITY AS i (token, quantity, node, epoch, sequence, n)
      LEFT JOIN orders o ON o.token = i.token
      LEFT JOIN nodes f ON f.node = i.node
     ORDER BY i.n
  LOOP
    IF r.token = ANY (v_sold) THEN
      r.outcome := 'known';
    ELSIF r.outcome = 'good' AND r.quantity <= v_left THEN
      r.outcome := 'sold';
      v_left := v_left - r.quantity;
      v_sold := v_sold || r.token;
    ELSIF r.outcome = 'good' THEN
      r.outcome := 'short';
    END IF;
    v_outcomes := v_outcomes || r.outcome;
  END LOOP;
  RETURN v_outcomes;
END $$;

CREATE FUNCTION flashsale.close_tokens(p_incarnation text, p_node text, p_epoch bigint, p_up_to bigint, p_tokens text[]) RETURNS text[]
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'flashsale', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS $$
BEGIN
  PERFORM lock_stock(p_incarnation);
  UPDATE nodes SET low_watermark = greatest(low_watermark, p_up_to) WHERE node = p_node AND epoch = p_epoch;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  RETURN ARRAY(SELECT o.token FROM unnest(p_tokens) AS t (token) JOIN orders o ON o.token = t.token);
END $$;

CREATE FUNCTION flashsale.credit(p_incarnation text, p_shard text, p_node text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'flashsale', 'pg_temp'
    AS $$
DECLARE
  v_sale sale := lock_sale(p_incarnation);
  v_units bigint;
BEGIN
  SELECT cancelled - credited INTO v_units FROM registry_shards WHERE shard = p_shard;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'FS004', MESSAGE = format('no shard %s in the registry', p_shard);
  ELSIF v_units <= 0 OR NOT may_grant(v_sale, p_node) THEN
    RETURN 0;
  END IF;
  UPDATE registry_shards SET credited = cancelled WHERE shard = p_shard;
  UPDATE registry_nodes SET granted = granted + v_units WHERE node = p_node;
  RETURN v_units;
END $$;

CREATE TABLE flashsale.orders (
    token text NOT NULL COLLATE pg_catalog."C",
    buyer text NOT NULL,
    quantity bigint NOT NULL,
    deadline timestamp with time zone,
    node text NOT NULL COLLATE pg_catalog."C",
    status flashsale.order_status NOT NULL,
    payment_id text,
    CONSTRAINT orders_quantity_check CHECK ((quantity > 0))
);

COMMENT ON TABLE flashsale.orders IS 'At most one for each token (R27). The buyer is personal data (R25): no index, no log, no metric holds it.';

COMMENT ON COLUMN flashsale.orders.deadline IS 'For payment, by this shard''s clock; null: final at checkout.';

CREATE FUNCTION flashsale.describe(p_order flashsale.orders) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
  SELECT jsonb_strip_nulls(jsonb_build_object(
    'token', p_order.token, 'buyer', p_order.buyer, 'quantity', p_order.quantity, 'status', p_order.status,
    'paymentId', p_order.payment_id,
    'payWithin', CASE WHEN p_order.status = 'placed' THEN
      greatest(0, floor(extract(epoch FROM p_order.deadline - clock_timestamp()) * 1000)) END))
$$;

CREATE FUNCTION flashsale.enter_shard(p_incarnation text, p_shard text, p_shard_incarnation text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'flashsale', 'pg_temp'
    AS $$
BEGIN
  PERFORM lock_sale(p_incarnation);
  INSERT INTO registry_shards (shard, shard_incarnation) VALUES (p_shard, p_shard_incarnation) ON CONFLICT DO NOTHING;
  IF (SELECT shard_incarnation FROM registry_shards WHERE shard = p_shard) <> p_shard_incarnation THEN
    RAISE EXCEPTION USING ERRCODE = 'FS001', MESSAGE = format('%s entered the registry with another database', p_shard);
  END IF;
END $$;

CREATE TABLE flashsale.instance (
    single boolean DEFAULT true NOT NULL,
    peer_incarnation text NOT NULL,
    incarnation text,
    self text,
    CONSTRAINT instance_check CHECK (((incarnation IS NULL) = (self IS NULL))),
    CONSTRAINT instance_self_check CHECK ((self ~ '^(pool|s(0|[1-9][0-9]{0,5}))$'::text)),
    CONSTRAINT instance_single_check CHECK (single)
);

COMMENT ON TABLE flashsale.instance IS 'Who this database is: one row, written once by the migration and once by join or initialize.';

COMMENT ON COLUMN flashsale.instance.peer_incarnation IS 'This database''s own life; a re-created one starts its versions anew.';

COMMENT ON COLUMN flashsale.instance.incarnation IS 'The sale''s; null until joined. Every call carries it, and another one is refused.';

CREATE TABLE flashsale.ledger (
    version bigint NOT NULL,
    delta bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    previous bigint,
    peer_version bigint,
    kind flashsale.ledger_kind NOT NULL,
    ref text NOT NULL COLLATE pg_catalog."C",
    peer text COLLATE pg_catalog."C",
    destination text COLLATE pg_catalog."C",
    payment_id text COLLATE pg_catalog."C"
);

COMMENT ON TABLE flashsale.ledger IS 'One row for each version, in commit order; the deltas add up to stock.available (R9, R10). Never updated.';

COMMENT ON COLUMN flashsale.ledger.at IS 'By this shard''s clock; for people, never compared with another machine''s.';

COMMENT ON COLUMN flashsale.ledger.previous IS 'transfer_out: this shard''s transfer to the same hop before (0: none); the receiver applies in this order.';

COMMENT ON COLUMN flashsale.ledger.peer_version IS 'transfer_in: the sender''s version.';

COMMENT ON COLUMN flashsale.ledger.ref IS 'What caused it, once per kind. order, cancel, pay: the token. refund_due: token/payment id. supply: generation.part. transfer_out: command term.sequence.leg, or sender@version of what the pool passes on. transfer_in: sender@version.';

COMMENT ON COLUMN flashsale.ledger.peer IS 'transfer_out: the hop it goes to. transfer_in: the hop it came from.';

COMMENT ON COLUMN flashsale.ledger.destination IS 'Of transfers: where the stock is to end.';

CREATE VIEW flashsale.transfers AS
 SELECT i.incarnation,
    i.self AS source,
    i.peer_incarnation AS source_incarnation,
    l.peer AS hop,
    l.destination,
    (- l.delta) AS units,
    l.version,
    l.previous
   FROM flashsale.ledger l,
    flashsale.instance i
  WHERE (l.kind = 'transfer_out'::flashsale.ledger_kind);

CREATE FUNCTION flashsale.execute(p_incarnation text, p_term bigint, p_sequence bigint, p_destinations text[], p_units bigint[]) RETURNS SETOF flashsale.transfers
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'flashsale', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
DECLARE
  v_stock stock := lock_stock(p_incarnation);
  v_self text := (SELECT self FROM instance);
  v_left bigint := v_stock.available - coalesce((SELECT owed FROM sale), 0);
  v_version bigint := v_stock.version;
  v_given bigint := 0;
  v_units bigint;
  r record;
BEGIN
  IF (p_term, p_sequence) <= (v_stock.command_term, v_stock.command_sequence) THEN
    RETURN;
  END IF;
  FOR r IN
    SELECT l.destination, l.units, l.leg
      FROM unnest(p_destinations, p_units) WITH ORDINALITY AS l (destination, units, leg)
     WHERE l.destination <> v_self
     ORDER BY l.leg
  LOOP
    v_units := least(r.units, v_left);
    CONTINUE WHEN v_units <= 0;
    v_left := v_left - v_units;
    v_given := v_given + v_units;
    v_version := v_version + 1;
    PERFORM send(v_version, CASE v_self WHEN 'pool' THEN r.destination ELSE 'pool' END, r.destination, v_units,
                 p_term || '.' || p_sequence || '.' || r.leg);
    INSERT INTO sent VALUES (r.destination, v_units)
    ON CONFLICT (destination) DO UPDATE SET units = sent.units + excluded.units;
  END LOOP;
  UPDATE stock SET
    available = available - v_given, version = v_version, command_term = p_term, command_sequence = p_sequence;
  RETURN QUERY SELECT * FROM transfers t WHERE t.version > v_stock.version ORDER BY t.version;
END $$;

CREATE FUNCTION flashsale.fence(p_node text, p_epoch bigint) RETURNS void
    LANGUAGE sql
    AS $$
  INSERT INTO nodes (node, epoch) VALUES (p_node, p_epoch)
  ON CONFLICT (node) DO UPDATE SET epoch = excluded.epoch, low_watermark = 0 WHERE nodes.epoch < excluded.epoch
$$;

CREATE FUNCTION flashsale.grant_evenly(p_units bigint) RETURNS void
    LANGUAGE sql
    AS $$
  WITH staying AS (
    SELECT n.* FROM registry_nodes n, sale s WHERE n.number < least(s.count, coalesce(s.resizing_to, s.wanted))
  ), chosen AS (
    SELECT node, row_number() OVER (ORDER BY granted - revoked, number) AS place, count(*) OVER () AS nodes
      FROM staying WHERE reachable OR NOT EXISTS (SELECT FROM staying WHERE reachable)
  )
  UPDATE registry_nodes n
     SET granted = granted + p_units / c.nodes + CASE WHEN c.place <= p_units % c.nodes THEN 1 ELSE 0 END
    FROM chosen c WHERE c.node = n.node
$$;

CREATE FUNCTION flashsale.info() RETURNS TABLE(peer_incarnation text, incarnation text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'flashsale', 'pg_temp'
    AS $$
  SELECT peer_incarnation, incarnation FROM instance
$$;

CREATE FUNCTION flashsale.initialize() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'flashsale', 'pg_temp'
    AS $$
BEGIN
  PERFORM lock_stock();
  INSERT INTO sale (incarnation) VALUES (gen_random_uuid()::text) ON CONFLICT DO NOTHING;
  PERFORM join_sale(
    (SELECT incarnation FROM sale), 'pool', (SELECT peer_incarnation FROM instance), '{}', '{}');
END $$;

CREATE FUNCTION flashsale.join_sale(p_incarnation text, p_self text, p_peer_incarnation text, p_nodes text[], p_epochs bigint[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'flashsale', 'pg_temp'
    AS $$
BEGIN
  PERFORM lock_stock();
  IF (SELECT peer_incarnation FROM instance) IS DISTINCT FROM p_peer_incarnation THEN
    RAISE EXCEPTION USING ERRCODE = 'FS001', MESSAGE = 'this database is another one than the call was meant for';
  END IF;
  UPDATE instance SET incarnation = p_incarnation, self = p_self WHERE incarnation IS NULL;
  PERFORM check_incarnation(p_incarnation);
  IF (SELECT self FROM instance) <> p_self THEN
    RAISE EXCEPTION USING ERRCODE = 'FS001', MESSAGE = 'this database is another shard of the sale';
  END IF;
  PERFORM fence(n.node, n.epoch) FROM unnest(p_nodes, p_epochs) AS n (node, epoch);
END $$;

CREATE TABLE flashsale.sale (
    single boolean DEFAULT true NOT NULL,
    incarnation text NOT NULL,
    generation bigint DEFAULT 0 NOT NULL,
    part bigint DEFAULT 0 NOT NULL,
    target bigint DEFAULT 0 NOT NULL,
    supplied bigint DEFAULT 0 NOT NULL,
    owed bigint DEFAULT 0 NOT NULL,
    layout integer DEFAULT 0 NOT NULL,
    count integer DEFAULT 0 NOT NULL,
    wanted integer DEFAULT 0 NOT NULL,
    resize flashsale.resize_step DEFAULT 'none'::flashsale.resize_step NOT NULL,
    resizing_to integer,
    paused boolean DEFAULT false NOT NULL,
    asked bigint DEFAULT 0 NOT NULL,
    term bigint DEFAULT 0 NOT NULL,
    CONSTRAINT sale_check CHECK (((owed >= 0) AND (owed <= supplied))),
    CONSTRAINT sale_check1 CHECK (((resize = 'none'::flashsale.resize_step) = (resizing_to IS NULL))),
    CONSTRAINT sale_single_check CHECK (single),
    CONSTRAINT sale_supplied_check CHECK ((supplied >= 0)),
    CONSTRAINT sale_target_check CHECK (((target >= 0) AND (target <= '9007199254740991'::bigint)))
);

COMMENT ON TABLE flashsale.sale IS 'One row in the pool''s database, none elsewhere.';

COMMENT ON COLUMN flashsale.sale.generation IS 'Of the last set_supply; part counts the supply rows written for it.';

COMMENT ON COLUMN flashsale.sale.supplied IS 'The sum of the ledger''s supply rows.';

COMMENT ON COLUMN flashsale.sale.owed IS 'Units taken back from the nodes for a lowered target, and not yet taken out of stock.';

COMMENT ON COLUMN flashsale.sale.count IS 'Nodes c0 … c(count − 1) take purchases under this layout; 0: none yet.';

COMMENT ON COLUMN flashsale.sale.wanted IS 'How many the resource asks for. A running resize goes to resizing_to and is not diverted.';

COMMENT ON COLUMN flashsale.sale.asked IS 'The newest generation that any wish of the resource had; older ones are refused.';

COMMENT ON COLUMN flashsale.sale.term IS 'The newest balancer''s.';

CREATE FUNCTION flashsale.lock_sale() RETURNS flashsale.sale
    LANGUAGE plpgsql
    AS $$
DECLARE
  v_sale sale;
BEGIN
  PERFORM check_isolation();
  SELECT * INTO v_sale FROM sale FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'FS003', MESSAGE = 'this database holds no registry (yet)';
  END IF;
  RETURN v_sale;
END $$;

CREATE FUNCTION flashsale.lock_sale(p_incarnation text) RETURNS flashsale.sale
    LANGUAGE plpgsql
    AS $$
DECLARE
  v_sale sale := lock_sale();
BEGIN
  IF v_sale.incarnation IS DISTINCT FROM p_incarnation THEN
    RAISE EXCEPTION USING ERRCODE = 'FS001', MESSAGE = 'this registry belongs to another incarnation of the sale';
  END IF;
  RETURN v_sale;
END $$;

CREATE TABLE flashsale.stock (
    single boolean DEFAULT true NOT NULL,
    available bigint DEFAULT 0 NOT NULL,
    version bigint DEFAULT 0 NOT NULL,
    sold bigint DEFAULT 0 NOT NULL,
    cancelled bigint DEFAULT 0 NOT NULL,
    missed bigint DEFAULT 0 NOT NULL,
    missed_max bigint DEFAULT 0 NOT NULL,
    received bigint DEFAULT 0 NOT NULL,
    command_term bigint DEFAULT 0 NOT NULL,
    command_sequence bigint DEFAULT 0 NOT NULL,
    CONSTRAINT stock_available_check CHECK (((available >= 0) AND (available <= '9007199254740991'::bigint))),
    CONSTRAINT stock_single_check CHECK (single)
)
WITH (fillfactor='20', autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='2000');

COMMENT ON TABLE flashsale.stock IS 'One row: the stock, its version (that of the newest ledger row) and lifetime totals in units. Updates are HOT: no indexed column changes, and the page has room.';

COMMENT ON COLUMN flashsale.stock.sold IS 'Ever ordered; cancelled ones stay counted.';

COMMENT ON COLUMN flashsale.stock.cancelled IS 'Of those, cancelled; the registry makes them virtual stock again.';

COMMENT ON COLUMN flashsale.stock.missed IS 'Asked for by valid tokens and not there at that moment; missed_max is the largest single quantity.';

COMMENT ON COLUMN flashsale.stock.received IS 'Ever received for good; what the pool passed on is not among it.';

COMMENT ON COLUMN flashsale.stock.command_term IS 'With command_sequence: the newest command executed.';

CREATE FUNCTION flashsale.lock_stock() RETURNS flashsale.stock
    LANGUAGE plpgsql
    AS $$
DECLARE
  v_stock stock;
BEGIN
  PERFORM check_isolation();
  SELECT * INTO STRICT v_stock FROM stock FOR UPDATE;
  RETURN v_stock;
END $$;

CREATE FUNCTION flashsale.lock_stock(p_incarnation text) RETURNS flashsale.stock
    LANGUAGE plpgsql
    AS $$
DECLARE
  v_stock stock := lock_stock();
BEGIN
  PERFORM check_incarnation(p_incarnation);
  RETURN v_stock;
END $$;

CREATE FUNCTION flashsale.lock_stock_and_sale(p_incarnation text) RETURNS flashsale.sale
    LANGUAGE plpgsql
    AS $$
BEGIN
  PERFORM lock_stock();
  RETURN lock_sale(p_incarnation);
END $$;

CREATE FUNCTION flashsale.may_grant(p_sale flashsale.sale, p_node text) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
  v_number integer := (SELECT number FROM registry_nodes WHERE node = p_node);
BEGIN
  IF v_number IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'FS004', MESSAGE = format('no cache node %s to grant to', p_node);
  END IF;
  RETURN v_number < least(p_sale.count, coalesce(p_sale.resizing_to, p_sale.count));
END $$;

CREATE FUNCTION flashsale.next_term() RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'flashsale', 'pg_temp'
    AS $$
DECLARE
  v_sale sale := lock_sale();
BEGIN
  UPDATE sale SET term = term + 1;
  RETURN v_sale.term + 1;
END $$;

CREATE FUNCTION flashsale.order_events(p_limit bigint) RETURNS TABLE(incarnation text, self text, version bigint, kind text, token text, buyer text, quantity bigint, payment_id text, at_ms bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'flashsale', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS $$
DECLARE
  v_newest bigint := (SELECT s.version FROM stock s);
  -- Joined, it would be compared with every row of the ledger from the first one on, each time.
  v_relayed bigint := (SELECT r.version FROM relay r);
BEGIN
  RETURN QUERY
    SELECT i.incarnation, i.self, l.version,
           CASE l.kind WHEN 'order' THEN 'placed' WHEN 'pay' THEN 'paid' WHEN 'cancel' THEN 'cancelled'
                       ELSE 'refund-due' END,
           o.token, o.buyer, o.quantity, l.payment_id, floor(extract(epoch FROM l.at) * 1000)::bigint
      FROM instance i, ledger l
      JOIN orders o ON o.token = split_part(l.ref, '/', 1)
     WHERE l.version > v_relayed AND l.kind IN ('order', 'pay', 'cancel', 'refund_due')
     ORDER BY l.version LIMIT p_limit;
  IF NOT FOUND THEN
    -- Nothing up to here: a stretch of transfers is not read again.
    PERFORM relayed(v_newest);
  END IF;
END $$;

CREATE FUNCTION flashsale.order_of(p_incarnation text, p_token text) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'flashsale', 'pg_temp'
    AS $$
BEGIN
  PERFORM check_incarnation(p_incarnation);
  RETURN (SELECT describe(o) FROM orders o WHERE o.token = p_token);
END $$;

CREATE FUNCTION flashsale.ordered_by_buyer(p_incarnation text) RETURNS TABLE(buyer text, units bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'flashsale', 'pg_temp'
    AS $$
BEGIN
  PERFORM check_incarnation(p_incarnation);
  RETURN QUERY SELECT o.buyer, sum(o.quantity)::bigint FROM orders o GROUP BY o.buyer;
END $$;

CREATE FUNCTION flashsale.ordered_through(p_incarnation text, p_node text) RETURNS bigint
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'flashsale', 'pg_temp'
    AS $$
BEGIN
  PERFORM check_incarnation(p_incarnation);
  RETURN (SELECT coalesce(sum(quantity), 0) FROM orders WHERE node = p_node);
END $$;

CREATE FUNCTION flashsale.orders_page(p_after bigint, p_limit bigint, p_buyer text, p_since timestamp with time zone) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'flashsale', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS $$
DECLARE
  v_newest bigint := (SELECT version FROM stock);
  v_seen bigint;
  v_up_to bigint;
  v_orders jsonb;
BEGIN
  WITH placed AS (
    SELECT version, ref, at FROM ledger WHERE version > p_after AND kind = 'order' ORDER BY version LIMIT p_limit
  )
  SELECT count(*), max(p.version),
         coalesce(jsonb_agg(describe(o) || jsonb_build_object(
             'version', p.version, 'placedAt', floor(extract(epoch FROM p.at) * 1000)) ORDER BY p.version)
           FILTER (WHERE o.token IS NOT NULL AND (p_buyer IS NULL OR o.buyer = p_buyer)
                     AND (p_since IS NULL OR p.at >= p_since)), '[]')
    INTO v_seen, v_up_to, v_orders
    FROM placed p LEFT JOIN orders o ON o.token = p.ref;
  RETURN (SELECT jsonb_build_object(
    'incarnation', incarnation, 'shard', self, 'orders', v_orders,
    'upTo', CASE WHEN v_seen < p_limit THEN greatest(v_newest, p_after) ELSE v_up_to END,
    'more', v_seen >= p_limit) FROM instance);
END $$;

CREATE FUNCTION flashsale.outbox_backlog() RETURNS bigint
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'flashsale', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
DECLARE
  v_relayed bigint := (SELECT version FROM relay);
BEGIN
  RETURN (SELECT count(*) FROM ledger
           WHERE version > v_relayed AND kind IN ('order', 'pay', 'cancel', 'refund_due'));
END $$;

CREATE FUNCTION flashsale.pay(p_incarnation text, p_token text, p_buyer text, p_payment_id text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'flashsale', 'pg_temp'
    AS $$
DECLARE
  v_stock stock := lock_stock(p_incarnation);
  v_order orders;
  v_kind ledger_kind;
  v_ref text := p_token;
BEGIN
  SELECT * INTO v_order FROM orders WHERE token = p_token AND buyer = p_buyer;
  IF NOT FOUND THEN
    RETURN '{"kind": "unknown"}';
  ELSIF v_order.status = 'final' THEN
    RETURN jsonb_build_object('kind', 'final', 'order', describe(v_order));
  ELSIF v_order.status = 'paid' AND v_order.payment_id = p_payment_id THEN
    RETURN jsonb_build_object('kind', 'paid', 'order', describe(v_order));
  ELSIF v_order.status = 'placed' THEN
    UPDATE orders SET status = 'paid', payment_id = p_payment_id WHERE token = p_token RETURNING * INTO v_order;
    v_kind := 'pay';
  ELSE
    v_kind := 'refund_due';
    v_ref := p_token || '/' || p_payment_id;
  END IF;
  INSERT INTO ledger (version, kind, delta, ref, at, payment_id)
  VALUES (v_stock.version + 1, v_kind, 0, v_ref, clock_timestamp(), p_payment_id)
  ON CONFLICT (kind, ref) WHERE kind <> 'order' DO NOTHING;
  IF FOUND THEN
    UPDATE stock SET version = version + 1;
  END IF;
  RETURN jsonb_build_object('kind', CASE v_kind WHEN 'pay' THEN 'paid' ELSE 'refund' END, 'order', describe(v_order));
END $$;

CREATE FUNCTION flashsale.pay_owed(p_incarnation text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'flashsale', 'pg_temp'
    AS $$
DECLARE
  v_sale sale := lock_stock_and_sale(p_incarnation);
  v_units bigint := least(v_sale.owed, (SELECT available FROM stock));
BEGIN
  IF v_units > 0 THEN
    UPDATE sale SET owed = owed - v_units;
    PERFORM supply(-v_units);
  END IF;
  RETURN v_units;
END $$;

CREATE FUNCTION flashsale.raise_epoch(p_incarnation text, p_node text, p_epoch bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'flashsale', 'pg_temp'
    AS $$
BEGIN
  PERFORM lock_stock(p_incarnation);
  PERFORM fence(p_node, p_epoch);
END $$;

CREATE FUNCTION flashsale.raise_node_epoch(p_incarnation text, p_node text, p_from bigint) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'flashsale', 'pg_temp'
    AS $$
DECLARE
  v_epoch bigint;
BEGIN
  PERFORM lock_sale(p_incarnation);
  UPDATE registry_nodes SET epoch = epoch + 1 WHERE node = p_node AND epoch = p_from RETURNING epoch INTO v_epoch;
  RETURN v_epoch;
END $$;

CREATE FUNCTION flashsale.receive(p_incarnation text, p_source text, p_source_incarnation text, p_hop text, p_destination text, p_units bigint, p_version bigint, p_previous bigint) RETURNS TABLE(applied boolean, forwarded flashsale.transfers)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'flashsale', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
DECLARE
  v_stock stock := lock_stock(p_incarnation);
  v_self text := (SELECT self FROM instance);
  v_ref text := p_source || '@' || p_version;
  v_forward boolean := p_destination <> v_self
    AND (v_self <> 'pool' OR EXISTS (SELECT FROM registry_shards WHERE shard = p_destination));
BEGIN
  IF p_hop <> v_self OR (v_forward AND v_self <> 'pool') OR p_units <= 0 OR p_version <= p_previous THEN
    RAISE EXCEPTION USING ERRCODE = 'FS004', MESSAGE = format(
      'a transfer of %s units from %s by way of %s to %s is not for %s', p_units, p_source, p_hop, p_destination, v_self);
  END IF;
  IF (v_self <> 'pool' AND p_source <> 'pool') OR (v_self = 'pool' AND NOT EXISTS (
       SELECT FROM registry_shards WHERE shard = p_source AND shard_incarnation = p_source_incarnation)) THEN
    RAISE EXCEPTION USING ERRCODE = 'FS004', MESSAGE = format('%s receives nothing from %s', v_self, p_source);
  END IF;
  INSERT INTO received AS r (source, source_incarnation, version)
  SELECT p_source, p_source_incarnation, p_version WHERE p_previous = 0
  ON CONFLICT (source) DO NOTHING;
  IF NOT FOUND THEN
    UPDATE received SET version = p_version
     WHERE source = p_source AND source_incarnation = p_source_incarnation AND version = p_previous;
    IF NOT FOUND THEN
      RETURN QUERY SELECT false, NULL::transfers;
      RETURN;
    END IF;
  END IF;
  INSERT INTO ledger (version, kind, delta, ref, at, peer, destination, peer_version)
  VALUES (v_stock.version + 1, 'transfer_in', p_units, v_ref, clock_timestamp(), p_source,
          CASE WHEN v_forward THEN p_destination ELSE v_self END, p_version);
  IF v_forward THEN
    PERFORM send(v_stock.version + 2, p_destination, p_destination, p_units, v_ref);
    UPDATE stock SET version = version + 2;
  ELSE
    UPDATE stock SET version = version + 1, available = available + p_units, received = received + p_units;
  END IF;
  RETURN QUERY SELECT true, (SELECT t FROM transfers t WHERE t.version = v_stock.version + 2);
END $$;

CREATE FUNCTION flashsale.registry() RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'flashsale', 'pg_temp'
    AS $$
  SELECT jsonb_build_object(
    'incarnation', s.incarnation, 'generation', s.generation, 'target', s.target, 'supplied', s.supplied,
    'owed', s.owed, 'layout', s.layout, 'count', s.count, 'wantedCount', s.wanted,
    'resize', s.resize, 'resizingTo', s.resizing_to, 'paused', s.paused, 'term', s.term,
    'nodes', (SELECT coalesce(jsonb_agg(jsonb_build_object(
        'id', node, 'epoch', epoch, 'granted', granted, 'revoked', revoked, 'reachable', reachable)
        ORDER BY number), '[]') FROM registry_nodes),
    'shards', (SELECT coalesce(jsonb_agg(jsonb_build_object(
        'id', shard, 'shardIncarnation', shard_incarnation, 'joined', joined, 'cancelled', cancelled,
        'credited', credited)
        ORDER BY substr(shard, 2)::integer), '[]') FROM registry_shards))
    FROM sale s
$$;

CREATE FUNCTION flashsale.relayed(p_version bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'flashsale', 'pg_temp'
    AS $$
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  UPDATE relay SET version = p_version WHERE version < p_version;
END $$;

CREATE FUNCTION flashsale.resize(p_incarnation text, p_layout integer, p_from flashsale.resize_step, p_to flashsale.resize_step, p_held jsonb) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'flashsale', 'pg_temp'
    AS $$
DECLARE
  v_sale sale := lock_sale(p_incarnation);
BEGIN
  IF v_sale.resize <> p_from OR v_sale.layout <> p_layout THEN
    RETURN false;
  END IF;
  CASE p_from || '>' || p_to
    WHEN 'none>draining' THEN
      IF v_sale.wanted = v_sale.count THEN
        RETURN false;
      END IF;
      UPDATE sale SET resize = p_to, resizing_to = wanted;
    WHEN 'draining>rebuilding' THEN
      IF EXISTS (SELECT FROM registry_nodes
                  WHERE number < v_sale.count AND number >= v_sale.resizing_to
                    AND granted - revoked IS DISTINCT FROM (p_held ->> node)::bigint) THEN
        RETURN false;
      END IF;
      UPDATE sale SET resize = p_to, count = resizing_to, layout = layout + 1;
    WHEN 'rebuilding>none' THEN
      UPDATE sale SET resize = p_to, resizing_to = NULL;
    ELSE
      RAISE EXCEPTION USING ERRCODE = 'FS004', MESSAGE = format('a resize does not go from %s to %s', p_from, p_to);
  END CASE;
  RETURN true;
END $$;

CREATE FUNCTION flashsale.send(p_version bigint, p_hop text, p_destination text, p_units bigint, p_ref text) RETURNS void
    LANGUAGE sql
    AS $$
  INSERT INTO ledger (version, kind, delta, ref, at, peer, destination, previous)
  SELECT p_version, 'transfer_out', -p_units, p_ref, clock_timestamp(), p_hop, p_destination,
         coalesce(max(version), 0)
    FROM ledger WHERE kind = 'transfer_out' AND peer = p_hop
$$;

CREATE FUNCTION flashsale.set_paused(p_incarnation text, p_generation bigint, p_paused boolean) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'flashsale', 'pg_temp'
    AS $$
DECLARE
  v_sale sale := lock_sale(p_incarnation);
BEGIN
  IF p_generation < v_sale.asked THEN
    RETURN false;
  END IF;
  UPDATE sale SET paused = p_paused, asked = p_generation;
  RETURN true;
END $$;

CREATE FUNCTION flashsale.set_reachable(p_incarnation text, p_node text, p_reachable boolean) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'flashsale', 'pg_temp'
    AS $$
BEGIN
  PERFORM lock_sale(p_incarnation);
  UPDATE registry_nodes SET reachable = p_reachable WHERE node = p_node AND reachable <> p_reachable;
END $$;

CREATE FUNCTION flashsale.set_supply(p_incarnation text, p_generation bigint, p_target bigint) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'flashsale', 'pg_temp'
    AS $$
DECLARE
  v_sale sale := lock_stock_and_sale(p_incarnation);
  v_raise bigint := p_target - (v_sale.supplied - v_sale.owed);
  v_unowed bigint := greatest(0, least(v_sale.owed, v_raise));
BEGIN
  IF v_sale.count = 0 THEN
    RAISE EXCEPTION USING ERRCODE = 'FS003', MESSAGE = 'no cache nodes to grant supply to: want_nodes comes first';
  ELSIF p_generation <= v_sale.generation OR p_generation < v_sale.asked THEN
    RETURN false;
  END IF;
  UPDATE sale SET generation = p_generation, asked = p_generation, part = 0, target = p_target, owed = owed - v_unowed;
  IF v_raise > 0 THEN
    IF v_raise > v_unowed THEN
      PERFORM supply(v_raise - v_unowed);
    END IF;
    PERFORM grant_evenly(v_raise);
  END IF;
  RETURN true;
END $$;

CREATE FUNCTION flashsale.shard_joined(p_incarnation text, p_shard text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'flashsale', 'pg_temp'
    AS $$
BEGIN
  PERFORM lock_sale(p_incarnation);
  UPDATE registry_shards SET joined = true WHERE shard = p_shard AND NOT joined;
END $$;

CREATE FUNCTION flashsale.supply(p_units bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
  v_part bigint;
BEGIN
  UPDATE sale SET supplied = supplied + p_units, part = part + 1 RETURNING part INTO v_part;
  UPDATE stock SET available = available + p_units, version = version + 1;
  INSERT INTO ledger (version, kind, delta, ref, at)
  SELECT s.version, 'supply', p_units, r.generation || '.' || v_part, clock_timestamp() FROM stock s, sale r;
END $$;

CREATE FUNCTION flashsale.tell_cancelled(p_incarnation text, p_shard text, p_shard_incarnation text, p_total bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'flashsale', 'pg_temp'
    AS $$
BEGIN
  PERFORM lock_sale(p_incarnation);
  UPDATE registry_shards SET cancelled = p_total
   WHERE shard = p_shard AND shard_incarnation = p_shard_incarnation AND cancelled < p_total;
END $$;

CREATE FUNCTION flashsale.transfers_to(p_hop text, p_above bigint, p_limit bigint) RETURNS SETOF flashsale.transfers
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'flashsale', 'pg_temp'
    AS $$
  SELECT * FROM transfers WHERE hop = p_hop AND version > p_above ORDER BY version LIMIT p_limit
$$;

CREATE FUNCTION flashsale.want_nodes(p_incarnation text, p_generation bigint, p_count integer) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'flashsale', 'pg_temp'
    AS $$
DECLARE
  v_sale sale := lock_sale(p_incarnation);
BEGIN
  IF p_count < 1 THEN
    RAISE EXCEPTION USING ERRCODE = 'FS004', MESSAGE = 'a sale needs at least one cache node';
  ELSIF p_generation < v_sale.asked THEN
    RETURN false;
  END IF;
  INSERT INTO registry_nodes (node) SELECT 'c' || n FROM generate_series(0, p_count - 1) n ON CONFLICT DO NOTHING;
  IF v_sale.count = 0 THEN
    UPDATE sale SET layout = 1, count = p_count;
  END IF;
  UPDATE sale SET wanted = p_count, asked = p_generation;
  RETURN true;
END $$;

CREATE TABLE flashsale.migrations (
    number integer NOT NULL,
    name text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE flashsale.nodes (
    node text NOT NULL COLLATE pg_catalog."C",
    epoch bigint NOT NULL,
    low_watermark bigint DEFAULT 0 NOT NULL
);

COMMENT ON TABLE flashsale.nodes IS 'The two numbers per cache node that refuse tokens. Both only rise; a new epoch starts low_watermark at 0.';

CREATE TABLE flashsale.received (
    source text NOT NULL COLLATE pg_catalog."C",
    source_incarnation text NOT NULL,
    version bigint NOT NULL
);

COMMENT ON TABLE flashsale.received IS 'The version of each sender''s transfer applied last.';

CREATE TABLE flashsale.registry_nodes (
    node text NOT NULL COLLATE pg_catalog."C",
    number integer GENERATED ALWAYS AS ((substr(node, 2))::integer) STORED,
    epoch bigint DEFAULT 0 NOT NULL,
    granted bigint DEFAULT 0 NOT NULL,
    revoked bigint DEFAULT 0 NOT NULL,
    reachable boolean DEFAULT true NOT NULL,
    CONSTRAINT registry_nodes_check CHECK (((revoked >= 0) AND (revoked <= granted))),
    CONSTRAINT registry_nodes_node_check CHECK ((node ~ '^c(0|[1-9][0-9]{0,5})$'::text))
);

COMMENT ON TABLE flashsale.registry_nodes IS 'Lifetime totals per cache node: granted − revoked = V + live tokens + units ever ordered through it. Rows stay when a node leaves.';

CREATE TABLE flashsale.registry_shards (
    shard text NOT NULL COLLATE pg_catalog."C",
    shard_incarnation text NOT NULL,
    joined boolean DEFAULT false NOT NULL,
    cancelled bigint DEFAULT 0 NOT NULL,
    credited bigint DEFAULT 0 NOT NULL,
    CONSTRAINT registry_shards_check CHECK (((credited >= 0) AND (credited <= cancelled))),
    CONSTRAINT registry_shards_shard_check CHECK ((shard ~ '^s(0|[1-9][0-9]{0,5})$'::text))
);

COMMENT ON COLUMN flashsale.registry_shards.cancelled IS 'Lifetime total of cancelled units, as the shard''s own agent told it from the shard''s database.';

COMMENT ON COLUMN flashsale.registry_shards.credited IS 'Of those, the ones that became virtual stock again.';

CREATE TABLE flashsale.relay (
    single boolean DEFAULT true NOT NULL,
    version bigint DEFAULT 0 NOT NULL,
    CONSTRAINT relay_single_check CHECK (single)
);

COMMENT ON TABLE flashsale.relay IS 'Order events up to this version were handed to the queue (R11). A bookmark, not state: it may lag.';

CREATE TABLE flashsale.sent (
    destination text NOT NULL COLLATE pg_catalog."C",
    units bigint NOT NULL
);

COMMENT ON TABLE flashsale.sent IS 'Units ever sent from here, by final destination. What the pool only passed on is not among it.';

CREATE VIEW flashsale.state AS
 SELECT i.peer_incarnation,
    i.incarnation,
    i.self,
    s.version,
    s.available,
    s.sold,
    s.cancelled,
    s.missed,
    s.missed_max,
    s.received,
    s.command_term,
    s.command_sequence,
    ( SELECT COALESCE(jsonb_object_agg(sent.destination, sent.units), '{}'::jsonb) AS "coalesce"
           FROM flashsale.sent) AS sent,
    ( SELECT COALESCE(jsonb_object_agg(received.source, received.version), '{}'::jsonb) AS "coalesce"
           FROM flashsale.received) AS received_versions,
    r.owed,
        CASE
            WHEN (r.owed IS NOT NULL) THEN GREATEST((0)::bigint, (s.available - r.owed))
            ELSE NULL::bigint
        END AS allocatable,
    r.supplied,
    r.target
   FROM flashsale.instance i,
    (flashsale.stock s
     LEFT JOIN flashsale.sale r ON (true));

ALTER TABLE ONLY flashsale.instance
    ADD CONSTRAINT instance_pkey PRIMARY KEY (single);

ALTER TABLE ONLY flashsale.ledger
    ADD CONSTRAINT ledger_pkey PRIMARY KEY (version);

ALTER TABLE ONLY flashsale.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (number);

ALTER TABLE ONLY flashsale.nodes
    ADD CONSTRAINT nodes_pkey PRIMARY KEY (node);

ALTER TABLE ONLY flashsale.orders
    ADD CONSTRAINT orders_pkey PRIMARY KEY (token);

ALTER TABLE ONLY flashsale.received
    ADD CONSTRAINT received_pkey PRIMARY KEY (source);

ALTER TABLE ONLY flashsale.registry_nodes
    ADD CONSTRAINT registry_nodes_pkey PRIMARY KEY (node);

ALTER TABLE ONLY flashsale.registry_shards
    ADD CONSTRAINT registry_shards_pkey PRIMARY KEY (shard);

ALTER TABLE ONLY flashsale.relay
    ADD CONSTRAINT relay_pkey PRIMARY KEY (single);

ALTER TABLE ONLY flashsale.sale
    ADD CONSTRAINT sale_pkey PRIMARY KEY (single);

ALTER TABLE ONLY flashsale.sent
    ADD CONSTRAINT sent_pkey PRIMARY KEY (destination);

ALTER TABLE ONLY flashsale.stock
    ADD CONSTRAINT stock_pkey PRIMARY KEY (single);

CREATE UNIQUE INDEX ledger_once ON flashsale.ledger USING btree (kind, ref) WHERE (kind <> 'order'::flashsale.ledger_kind);

CREATE INDEX ledger_out ON flashsale.ledger USING btree (peer, version) WHERE (kind = 'transfer_out'::flashsale.ledger_kind);

CREATE INDEX orders_overdue ON flashsale.orders USING btree (deadline) WHERE (status = 'placed'::flashsale.order_status);

GRANT USAGE ON SCHEMA flashsale TO flashsale_storefront;
GRANT USAGE ON SCHEMA flashsale TO flashsale_cache;
GRANT USAGE ON SCHEMA flashsale TO flashsale_operator;
GRANT USAGE ON SCHEMA flashsale TO flashsale_audit;

REVOKE ALL ON FUNCTION flashsale.book(p_incarnation text, p_node text, p_epoch bigint, p_revoked_total bigint, p_grant_to text) FROM PUBLIC;

REVOKE ALL ON FUNCTION flashsale.cancel(p_incarnation text, p_token text, p_buyer text) FROM PUBLIC;
GRANT ALL ON FUNCTION flashsale.cancel(p_incarnation text, p_token text, p_buyer text) TO flashsale_storefront;

REVOKE ALL ON FUNCTION flashsale.cancel_overdue(p_limit bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION flashsale.cancel_placed(p_tokens text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION flashsale.check_incarnation(p_incarnation text) FROM PUBLIC;

REVOKE ALL ON FUNCTION flashsale.check_isolation() FROM PUBLIC;

REVOKE ALL ON FUNCTION flashsale.checkout(p_incarnation text, p_tokens text[], p_buyers text[], p_quantities bigint[], p_nodes text[], p_epochs bigint[], p_sequences bigint[], p_deadline_ms bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION flashsale.checkout(p_incarnation text, p_tokens text[], p_buyers text[], p_quantities bigint[], p_nodes text[], p_epochs bigint[], p_sequences bigint[], p_deadline_ms bigint) TO flashsale_storefront;

REVOKE ALL ON FUNCTION flashsale.classify_checkouts(p_available bigint, p_tokens text[], p_quantities bigint[], p_nodes text[], p_epochs bigint[], p_sequences bigint[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION flashsale.close_tokens(p_incarnation text, p_node text, p_epoch bigint, p_up_to bigint, p_tokens text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION flashsale.close_tokens(p_incarnation text, p_node text, p_epoch bigint, p_up_to bigint, p_tokens text[]) TO flashsale_cache;

REVOKE ALL ON FUNCTION flashsale.credit(p_incarnation text, p_shard text, p_node text) FROM PUBLIC;

GRANT SELECT ON TABLE flashsale.orders TO flashsale_audit;

REVOKE ALL ON FUNCTION flashsale.describe(p_order flashsale.orders) FROM PUBLIC;

REVOKE ALL ON FUNCTION flashsale.enter_shard(p_incarnation text, p_shard text, p_shard_incarnation text) FROM PUBLIC;

GRANT SELECT ON TABLE flashsale.instance TO flashsale_audit;

GRANT SELECT ON TABLE flashsale.ledger TO flashsale_audit;

GRANT SELECT ON TABLE flashsale.transfers TO flashsale_audit;

REVOKE ALL ON FUNCTION flashsale.execute(p_incarnation text, p_term bigint, p_sequence bigint, p_destinations text[], p_units bigint[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION flashsale.fence(p_node text, p_epoch bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION flashsale.grant_evenly(p_units bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION flashsale.info() FROM PUBLIC;
GRANT ALL ON FUNCTION flashsale.info() TO flashsale_storefront;
GRANT ALL ON FUNCTION flashsale.info() TO flashsale_cache;

REVOKE ALL ON FUNCTION flashsale.initialize() FROM PUBLIC;

REVOKE ALL ON FUNCTION flashsale.join_sale(p_incarnation text, p_self text, p_peer_incarnation text, p_nodes text[], p_epochs bigint[]) FROM PUBLIC;

GRANT SELECT ON TABLE flashsale.sale TO flashsale_audit;

REVOKE ALL ON FUNCTION flashsale.lock_sale() FROM PUBLIC;

REVOKE ALL ON FUNCTION flashsale.lock_sale(p_incarnation text) FROM PUBLIC;

GRANT SELECT ON TABLE flashsale.stock TO flashsale_audit;

REVOKE ALL ON FUNCTION flashsale.lock_stock() FROM PUBLIC;

REVOKE ALL ON FUNCTION flashsale.lock_stock(p_incarnation text) FROM PUBLIC;

REVOKE ALL ON FUNCTION flashsale.lock_stock_and_sale(p_incarnation text) FROM PUBLIC;

REVOKE ALL ON FUNCTION flashsale.may_grant(p_sale flashsale.sale, p_node text) FROM PUBLIC;

REVOKE ALL ON FUNCTION flashsale.next_term() FROM PUBLIC;
GRANT ALL ON FUNCTION flashsale.next_term() TO flashsale_operator;

REVOKE ALL ON FUNCTION flashsale.order_events(p_limit bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION flashsale.order_of(p_incarnation text, p_token text) FROM PUBLIC;
GRANT ALL ON FUNCTION flashsale.order_of(p_incarnation text, p_token text) TO flashsale_storefront;

REVOKE ALL ON FUNCTION flashsale.ordered_by_buyer(p_incarnation text) FROM PUBLIC;
GRANT ALL ON FUNCTION flashsale.ordered_by_buyer(p_incarnation text) TO flashsale_cache;

REVOKE ALL ON FUNCTION flashsale.ordered_through(p_incarnation text, p_node text) FROM PUBLIC;
GRANT ALL ON FUNCTION flashsale.ordered_through(p_incarnation text, p_node text) TO flashsale_cache;

REVOKE ALL ON FUNCTION flashsale.orders_page(p_after bigint, p_limit bigint, p_buyer text, p_since timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION flashsale.orders_page(p_after bigint, p_limit bigint, p_buyer text, p_since timestamp with time zone) TO flashsale_audit;

REVOKE ALL ON FUNCTION flashsale.outbox_backlog() FROM PUBLIC;
GRANT ALL ON FUNCTION flashsale.outbox_backlog() TO flashsale_operator;

REVOKE ALL ON FUNCTION flashsale.pay(p_incarnation text, p_token text, p_buyer text, p_payment_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION flashsale.pay(p_incarnation text, p_token text, p_buyer text, p_payment_id text) TO flashsale_storefront;

REVOKE ALL ON FUNCTION flashsale.pay_owed(p_incarnation text) FROM PUBLIC;

REVOKE ALL ON FUNCTION flashsale.raise_epoch(p_incarnation text, p_node text, p_epoch bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION flashsale.raise_epoch(p_incarnation text, p_node text, p_epoch bigint) TO flashsale_cache;

REVOKE ALL ON FUNCTION flashsale.raise_node_epoch(p_incarnation text, p_node text, p_from bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION flashsale.raise_node_epoch(p_incarnation text, p_node text, p_from bigint) TO flashsale_cache;

REVOKE ALL ON FUNCTION flashsale.receive(p_incarnation text, p_source text, p_source_incarnation text, p_hop text, p_destination text, p_units bigint, p_version bigint, p_previous bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION flashsale.registry() FROM PUBLIC;
GRANT ALL ON FUNCTION flashsale.registry() TO flashsale_operator;
GRANT ALL ON FUNCTION flashsale.registry() TO flashsale_cache;

REVOKE ALL ON FUNCTION flashsale.relayed(p_version bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION flashsale.resize(p_incarnation text, p_layout integer, p_from flashsale.resize_step, p_to flashsale.resize_step, p_held jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION flashsale.send(p_version bigint, p_hop text, p_destination text, p_units bigint, p_ref text) FROM PUBLIC;

REVOKE ALL ON FUNCTION flashsale.set_paused(p_incarnation text, p_generation bigint, p_paused boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION flashsale.set_paused(p_incarnation text, p_generation bigint, p_paused boolean) TO flashsale_operator;

REVOKE ALL ON FUNCTION flashsale.set_reachable(p_incarnation text, p_node text, p_reachable boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION flashsale.set_supply(p_incarnation text, p_generation bigint, p_target bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION flashsale.set_supply(p_incarnation text, p_generation bigint, p_target bigint) TO flashsale_operator;

REVOKE ALL ON FUNCTION flashsale.shard_joined(p_incarnation text, p_shard text) FROM PUBLIC;

REVOKE ALL ON FUNCTION flashsale.supply(p_units bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION flashsale.tell_cancelled(p_incarnation text, p_shard text, p_shard_incarnation text, p_total bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION flashsale.transfers_to(p_hop text, p_above bigint, p_limit bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION flashsale.want_nodes(p_incarnation text, p_generation bigint, p_count integer) FROM PUBLIC;
GRANT ALL ON FUNCTION flashsale.want_nodes(p_incarnation text, p_generation bigint, p_count integer) TO flashsale_operator;

GRANT SELECT ON TABLE flashsale.migrations TO flashsale_audit;

GRANT SELECT ON TABLE flashsale.nodes TO flashsale_audit;

GRANT SELECT ON TABLE flashsale.received TO flashsale_audit;

GRANT SELECT ON TABLE flashsale.registry_nodes TO flashsale_audit;

GRANT SELECT ON TABLE flashsale.registry_shards TO flashsale_audit;

GRANT SELECT ON TABLE flashsale.relay TO flashsale_audit;

GRANT SELECT ON TABLE flashsale.sent TO flashsale_audit;

GRANT SELECT ON TABLE flashsale.state TO flashsale_audit;

ALTER DEFAULT PRIVILEGES FOR ROLE flashsale_owner IN SCHEMA flashsale GRANT SELECT ON TABLES  TO flashsale_audit;
