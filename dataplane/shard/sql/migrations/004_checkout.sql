-- checkout(incarnation, rows as arrays, payment deadline in ms or null) → one outcome for each row, in their order.
-- Role: storefront. R6, R26, R27; one row lock and one commit for the whole batch.
--
-- Rows are classified in this order:
--   known      the token has an order (whatever buyer or quantity the row names)
--   cancelled  the same, and the order was cancelled
--   expired    the node's epoch is another one, or the issue number is not above closed-up-to
--   sold       the stock suffices: order and ledger row are written
--   short      it does not: nothing is consumed, the units count as missed
-- The result is that of the rows one after the other. When all fit, which is the rule, no row is looked at alone.

CREATE FUNCTION checkout(
  p_incarnation text,
  p_tokens text[], p_buyers text[], p_quantities bigint[], p_nodes text[], p_epochs bigint[], p_issues bigint[],
  p_deadline_ms bigint
) RETURNS text[]
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = flashsale, pg_temp
-- Plans are made once, perhaps while the tables are empty: a sequential scan would then stay while they grow.
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
DECLARE
  v_stock stock := lock_stock(p_incarnation);
  v_now timestamptz := clock_timestamp();
  v_outcomes text[];
  v_units bigint;
  v_count bigint;
  v_repeats boolean;
  v_missed bigint := 0;
  v_missed_max bigint := 0;
  v_left bigint;
  v_sold text[] := '{}';
  r record;
BEGIN
  SELECT array_agg(c.outcome ORDER BY c.n),
         coalesce(sum(c.quantity) FILTER (WHERE c.outcome = 'sold'), 0),
         count(*) FILTER (WHERE c.outcome = 'sold'),
         count(DISTINCT c.token) < count(*)
    INTO v_outcomes, v_units, v_count, v_repeats
    FROM (
      SELECT i.n, i.token, i.quantity, CASE
          WHEN o.status = 'cancelled' THEN 'cancelled'
          WHEN o.token IS NOT NULL THEN 'known'
          WHEN f.epoch = i.epoch AND i.issue > f.closed_up_to THEN 'sold'
          ELSE 'expired' END AS outcome
        FROM unnest(p_tokens, p_quantities, p_nodes, p_epochs, p_issues)
             WITH ORDINALITY AS i (token, quantity, node, epoch, issue, n)
        LEFT JOIN orders o ON o.token = i.token
        LEFT JOIN nodes f ON f.node = i.node
    ) c;

  IF v_units > v_stock.available OR v_repeats THEN
    v_left := v_stock.available;
    v_units := 0;
    v_count := 0;
    FOR r IN
      SELECT i.n, i.token, i.quantity
        FROM unnest(p_tokens, p_quantities, v_outcomes) WITH ORDINALITY AS i (token, quantity, outcome, n)
       WHERE i.outcome = 'sold'
       ORDER BY i.n
    LOOP
      IF v_repeats AND r.token = ANY (v_sold) THEN
        v_outcomes[r.n] := 'known';
      ELSIF r.quantity <= v_left THEN
        v_left := v_left - r.quantity;
        v_units := v_units + r.quantity;
        v_count := v_count + 1;
        v_sold := v_sold || r.token;
      ELSE
        v_outcomes[r.n] := 'short';
        v_missed := v_missed + r.quantity;
        v_missed_max := greatest(v_missed_max, r.quantity);
      END IF;
    END LOOP;
  END IF;

  IF v_count > 0 THEN
    WITH s AS MATERIALIZED (
      SELECT i.*, v_stock.version + row_number() OVER (ORDER BY i.n) AS version
        FROM unnest(p_tokens, p_buyers, p_quantities, p_nodes, v_outcomes)
             WITH ORDINALITY AS i (token, buyer, quantity, node, outcome, n)
       WHERE i.outcome = 'sold'
    ), l AS (
      INSERT INTO ledger (version, kind, delta, ref, at)
      SELECT version, 'order', -quantity, token, v_now FROM s
    )
    INSERT INTO orders (token, buyer, quantity, node, status, deadline)
    SELECT token, buyer, quantity, node,
           CASE WHEN p_deadline_ms IS NULL THEN 'final' ELSE 'placed' END::order_status,
           v_now + p_deadline_ms * interval '1 millisecond'
      FROM s;
  END IF;

  IF v_count > 0 OR v_missed > 0 THEN
    UPDATE stock SET
      available = available - v_units, version = version + v_count, sold = sold + v_units,
      missed = missed + v_missed, missed_max = greatest(missed_max, v_missed_max);
  END IF;
  RETURN v_outcomes;
END $$;

GRANT EXECUTE ON FUNCTION checkout TO flashsale_storefront;
