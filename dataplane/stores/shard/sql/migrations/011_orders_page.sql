-- Orders as their merchant reads them, and what the merchant was not told yet. Reads only, without a lock.

-- orders_page(after, limit, buyer, since) → {incarnation, shard, orders, upTo, more}. Roles: audit, owner.
-- The orders whose placing has a version above `after`, in the order of placing, as they are now. `buyer`: only that
-- buyer's; null: everybody's. `since`: only those placed at that moment or later, by this shard's clock; null: all.
--   orders  each as describe() has it, with `version` and `placedAt` (ms since 1970)
--   upTo    every order up to this version was looked at: the next page's `after`
--   more    false: upTo is the newest version, and a later call answers what is placed from then on
-- Versions are gap-free and commit in order, and the function reads in one snapshot: nothing is skipped between two
-- pages, and no order comes twice. A page looks at `limit` orders whether or not they are wanted, so that a buyer with
-- few orders among millions costs no long statement.
CREATE FUNCTION orders_page(p_after bigint, p_limit bigint, p_buyer text, p_since timestamptz) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = flashsale, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
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

-- outbox_backlog() → how many events of orders were not handed to the queue yet. Role: operator.
CREATE FUNCTION outbox_backlog() RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = flashsale, pg_temp SET enable_seqscan = off SET jit = off AS $$
DECLARE
  v_relayed bigint := (SELECT version FROM relay);
BEGIN
  RETURN (SELECT count(*) FROM ledger
           WHERE version > v_relayed AND kind IN ('order', 'pay', 'cancel', 'refund_due'));
END $$;

GRANT EXECUTE ON FUNCTION orders_page TO flashsale_audit;
GRANT EXECUTE ON FUNCTION outbox_backlog TO flashsale_operator;
