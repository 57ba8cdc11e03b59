-- What every writing function does first. Internal: granted to nobody.
--
-- Writing functions are VOLATILE plpgsql at READ COMMITTED, so that each statement in them reads what was committed
-- before it. A function that read fences or orders with the snapshot of before its wait for the lock would sell tokens
-- that were just returned.
--
-- Functions that run for a sale's whole life get plans made once, while tables are empty: those that join or search
-- tables that grow must suit them full, so they switch sequential scans off (they stay possible without an index).
--
-- Errors: FS001 another incarnation of the sale; FS002 wrong isolation; FS003 not ready yet; FS004 makes no sense.

CREATE FUNCTION check_incarnation(p_incarnation text) RETURNS void
LANGUAGE plpgsql STABLE AS $$
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

CREATE FUNCTION check_isolation() RETURNS void
LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION USING ERRCODE = 'FS002',
      MESSAGE = 'shard functions need READ COMMITTED, not ' || upper(current_setting('transaction_isolation'));
  END IF;
END $$;

-- Locks the stock row and answers its newest version.
CREATE FUNCTION lock_stock() RETURNS stock
LANGUAGE plpgsql AS $$
DECLARE
  v_stock stock;
BEGIN
  PERFORM check_isolation();
  SELECT * INTO STRICT v_stock FROM stock FOR UPDATE;
  RETURN v_stock;
END $$;

CREATE FUNCTION lock_stock(p_incarnation text) RETURNS stock
LANGUAGE plpgsql AS $$
DECLARE
  v_stock stock := lock_stock();
BEGIN
  PERFORM check_incarnation(p_incarnation);
  RETURN v_stock;
END $$;

-- Locks the registry's sale row and answers its newest version.
CREATE FUNCTION lock_sale() RETURNS sale
LANGUAGE plpgsql AS $$
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

CREATE FUNCTION lock_sale(p_incarnation text) RETURNS sale
LANGUAGE plpgsql AS $$
DECLARE
  v_sale sale := lock_sale();
BEGIN
  IF v_sale.incarnation IS DISTINCT FROM p_incarnation THEN
    RAISE EXCEPTION USING ERRCODE = 'FS001', MESSAGE = 'this registry belongs to another incarnation of the sale';
  END IF;
  RETURN v_sale;
END $$;

-- Both, in the one order (002_registry).
CREATE FUNCTION lock_stock_and_sale(p_incarnation text) RETURNS sale
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM lock_stock();
  RETURN lock_sale(p_incarnation);
END $$;
