-- cancel_overdue(limit) → how many placed orders past their deadline were cancelled. Role: owner.
-- The time is read into a variable: compared with the clock itself, which moves, every placed order was read each time,
-- under the lock that checkouts wait for.
CREATE OR REPLACE FUNCTION cancel_overdue(p_limit bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = flashsale, pg_temp SET enable_seqscan = off SET jit = off AS $$
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
