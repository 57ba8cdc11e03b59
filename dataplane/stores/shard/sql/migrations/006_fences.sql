-- Who this shard is, and what refuses tokens: the epoch and low watermark of each cache node. Raising either under the
-- stock row's lock is a fence: what was not committed before it never will be.

-- info() → peer incarnation, and the sale's (null: not joined, not to be used). Roles: storefront, cache.
CREATE FUNCTION info() RETURNS TABLE (peer_incarnation text, incarnation text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = flashsale, pg_temp AS $$
  SELECT peer_incarnation, incarnation FROM instance
$$;

-- Raises a node's epoch, only upward; low watermark starts anew with it (and not when the epoch stays: what was closed
-- stays closed). The caller holds the stock row's lock.
CREATE FUNCTION fence(p_node text, p_epoch bigint) RETURNS void
LANGUAGE sql AS $$
  INSERT INTO nodes (node, epoch) VALUES (p_node, p_epoch)
  ON CONFLICT (node) DO UPDATE SET epoch = excluded.epoch, low_watermark = 0 WHERE nodes.epoch < excluded.epoch
$$;

-- raise_epoch(incarnation, node, epoch). Role: cache. R32: no token of an older epoch can sell from now on.
CREATE FUNCTION raise_epoch(p_incarnation text, p_node text, p_epoch bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = flashsale, pg_temp AS $$
BEGIN
  PERFORM lock_stock(p_incarnation);
  PERFORM fence(p_node, p_epoch);
END $$;

-- close_tokens(incarnation, node, epoch, up to, tokens) → those with an order, cancelled ones too. Role: cache. R28.
-- Null: the shard knows another epoch of the node, or none; nothing was changed and the list is void.
CREATE FUNCTION close_tokens(p_incarnation text, p_node text, p_epoch bigint, p_up_to bigint, p_tokens text[])
RETURNS text[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = flashsale, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
BEGIN
  PERFORM lock_stock(p_incarnation);
  UPDATE nodes SET low_watermark = greatest(low_watermark, p_up_to) WHERE node = p_node AND epoch = p_epoch;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  RETURN ARRAY(SELECT o.token FROM unnest(p_tokens) AS t (token) JOIN orders o ON o.token = t.token);
END $$;

-- ordered_through(incarnation, node) → units ever ordered through it, cancelled ones too. Role: cache.
-- Read after raise_epoch: the sum of older epochs cannot change any more.
CREATE FUNCTION ordered_through(p_incarnation text, p_node text) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = flashsale, pg_temp AS $$
BEGIN
  PERFORM check_incarnation(p_incarnation);
  RETURN (SELECT coalesce(sum(quantity), 0) FROM orders WHERE node = p_node);
END $$;

-- ordered_by_buyer(incarnation) → (buyer, units ever ordered), cancelled ones too. Role: cache.
CREATE FUNCTION ordered_by_buyer(p_incarnation text) RETURNS TABLE (buyer text, units bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = flashsale, pg_temp AS $$
BEGIN
  PERFORM check_incarnation(p_incarnation);
  RETURN QUERY SELECT o.buyer, sum(o.quantity)::bigint FROM orders o GROUP BY o.buyer;
END $$;

-- join_sale(incarnation, self, peer incarnation, nodes, epochs). Role: owner. Records whose shard this is, once, and copies
-- the nodes' epochs, only upward. The shard enters the registry before, so that no epoch raised meanwhile is missed.
-- A call that names another life of this database was on its way when the database was made anew: it would bind the new
-- one to a sale that is no more.
CREATE FUNCTION join_sale(
  p_incarnation text, p_self text, p_peer_incarnation text, p_nodes text[], p_epochs bigint[]
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = flashsale, pg_temp AS $$
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

GRANT EXECUTE ON FUNCTION info TO flashsale_storefront, flashsale_cache;
GRANT EXECUTE ON FUNCTION raise_epoch, close_tokens, ordered_through, ordered_by_buyer TO flashsale_cache;
