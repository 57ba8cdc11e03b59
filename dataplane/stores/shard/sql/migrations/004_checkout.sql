-- checkout(incarnation, rows as arrays, payment deadline in ms or null) → one outcome for each row, in their order.
-- Role: storefront. R6, R26, R27; one row lock and one commit for the whole batch.
--
-- Rows are classified in this order:
--   known      the token has an order (whatever buyer or quantity the row names)
--   cancelled  the same, and the order was cancelled
--   expired    the node's epoch is another one, or the sequence number is not above low watermark
--   sold       the stock suffices: order and ledger row are written
--   short      it does not: nothing is consumed, the units count as missed
-- The result is that of the rows one after the other.

-- The outcomes, row after row. Decides, writes nothing; the caller holds the stock row's lock.
CREATE FUNCTION classify_checkouts(
  p_available bigint, p_tokens text[], p_quantities bigint[], p_nodes text[], p_epochs bigint[], p_sequences bigint[]
) RETURNS text[]
LANGUAGE plpgsql AS $$
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

CREATE FUNCTION checkout(
  p_incarnation text,
  p_tokens text[], p_buyers text[], p_quantities bigint[], p_nodes text[], p_epochs bigint[], p_sequences bigint[],
  p_deadline_ms bigint
) RETURNS text[]
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = flashsale, pg_temp
-- Planning each batch anew would cost more than the batch; 003_locking says why no sequential scans.
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET jit = off
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

GRANT EXECUTE ON FUNCTION checkout TO flashsale_storefront;
