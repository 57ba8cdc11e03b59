-- Orders after checkout: placed → paid | cancelled, or final from the start. Conditional on the status, under the
-- stock row's lock; each answers the same again when repeated (R34).

-- The order as clients see it. `payWithin`: ms left of the deadline by this shard's clock.
CREATE FUNCTION describe(p_order orders) RETURNS jsonb
LANGUAGE sql STABLE AS $$
  SELECT jsonb_strip_nulls(jsonb_build_object(
    'token', p_order.token, 'buyer', p_order.buyer, 'quantity', p_order.quantity, 'status', p_order.status,
    'paymentId', p_order.payment_id,
    'payWithin', CASE WHEN p_order.status = 'placed' THEN
      greatest(0, floor(extract(epoch FROM p_order.deadline - clock_timestamp()) * 1000)) END))
$$;

-- order_of(incarnation, token) → the order as JSON, or null. Role: storefront.
CREATE FUNCTION order_of(p_incarnation text, p_token text) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = flashsale, pg_temp AS $$
BEGIN
  PERFORM check_incarnation(p_incarnation);
  RETURN (SELECT describe(o) FROM orders o WHERE o.token = p_token);
END $$;

-- pay(incarnation, token, buyer, payment id) → {kind, order}. Role: storefront. R31.
--   paid     the order is paid by this payment (also when its deadline had passed but nobody had cancelled it)
--   refund   it was cancelled, or paid by another payment: this one is due back. Recorded once per payment.
--   final    the sale takes no payments here
--   unknown  no such order of this buyer
CREATE FUNCTION pay(p_incarnation text, p_token text, p_buyer text, p_payment_id text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = flashsale, pg_temp AS $$
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

-- Cancels placed orders: their units are available again. The caller holds the stock row's lock.
CREATE FUNCTION cancel_placed(p_tokens text[]) RETURNS bigint
LANGUAGE plpgsql AS $$
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

-- cancel(incarnation, token, buyer) → {kind, order}, kind cancelled, paid, final or unknown. Role: storefront.
CREATE FUNCTION cancel(p_incarnation text, p_token text, p_buyer text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = flashsale, pg_temp SET enable_seqscan = off SET jit = off AS $$
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

-- cancel_overdue(limit) → how many placed orders past their deadline were cancelled. Role: owner.
CREATE FUNCTION cancel_overdue(p_limit bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = flashsale, pg_temp SET enable_seqscan = off SET jit = off AS $$
BEGIN
  -- Looking first keeps an agent that finds nothing off the lock; the lock then decides.
  IF NOT EXISTS (SELECT FROM orders WHERE status = 'placed' AND deadline <= clock_timestamp()) THEN
    RETURN 0;
  END IF;
  PERFORM lock_stock();
  RETURN cancel_placed(ARRAY(
    SELECT token FROM orders
     WHERE status = 'placed' AND deadline <= clock_timestamp()
     ORDER BY deadline LIMIT p_limit));
END $$;

-- order_events(limit) → events above the bookmark, oldest first. Role: owner. R11: at least once, in version order.
CREATE FUNCTION order_events(p_limit bigint)
RETURNS TABLE (
  incarnation text, self text, version bigint, kind text, token text, buyer text, quantity bigint, payment_id text,
  at_ms bigint
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = flashsale, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
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

-- relayed(version): moves the bookmark, only upward. Role: owner. It takes no stock lock, and does not wait for the
-- disk: a bookmark that falls back in a crash repeats events, which their readers expect.
CREATE FUNCTION relayed(p_version bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = flashsale, pg_temp AS $$
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  UPDATE relay SET version = p_version WHERE version < p_version;
END $$;

GRANT EXECUTE ON FUNCTION order_of, pay, cancel TO flashsale_storefront;
