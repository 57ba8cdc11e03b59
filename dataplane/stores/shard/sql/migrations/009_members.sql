-- The registry, as far as it says who takes part: nodes, epochs, layout, shards, pause, terms. Sale row lock only.

-- registry() → everything the sale agrees on, in one snapshot, or null. Roles: operator, cache (and owner).
CREATE FUNCTION registry() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = flashsale, pg_temp AS $$
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

-- set_paused(incarnation, generation, paused) → false: a newer generation has wished something already. Role: operator.
CREATE FUNCTION set_paused(p_incarnation text, p_generation bigint, p_paused boolean) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = flashsale, pg_temp AS $$
DECLARE
  v_sale sale := lock_sale(p_incarnation);
BEGIN
  IF p_generation < v_sale.asked THEN
    RETURN false;
  END IF;
  UPDATE sale SET paused = p_paused, asked = p_generation;
  RETURN true;
END $$;

-- want_nodes(incarnation, generation, count) → false: a newer generation has wished something already. Role: operator.
-- The first call is the layout; a later one asks for a resize, and while one runs
-- is done after it. Node rows are made at once, and stay for ever.
CREATE FUNCTION want_nodes(p_incarnation text, p_generation bigint, p_count integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = flashsale, pg_temp AS $$
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

-- resize(incarnation, layout, from, to, held) → whether the step was taken. Role: owner. False when the sale is not at `from` of this
-- layout (any more): a caller that was held up since an earlier resize decided by what it saw then. False, too, when a
-- resize is to begin and nothing else is wanted; and when draining is to end and a leaving node's granted − revoked is
-- not what the caller saw (`held`: an object by node): units would be left where nobody can buy them.
CREATE FUNCTION resize(
  p_incarnation text, p_layout integer, p_from resize_step, p_to resize_step, p_held jsonb
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = flashsale, pg_temp AS $$
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

-- next_term() → a balancer's term, higher than any before. Role: operator.
CREATE FUNCTION next_term() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = flashsale, pg_temp AS $$
DECLARE
  v_sale sale := lock_sale();
BEGIN
  UPDATE sale SET term = term + 1;
  RETURN v_sale.term + 1;
END $$;

-- raise_node_epoch(incarnation, node, from) → from + 1, or null: somebody else was first. Role: cache. R32, recovery's first step.
CREATE FUNCTION raise_node_epoch(p_incarnation text, p_node text, p_from bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = flashsale, pg_temp AS $$
DECLARE
  v_epoch bigint;
BEGIN
  PERFORM lock_sale(p_incarnation);
  UPDATE registry_nodes SET epoch = epoch + 1 WHERE node = p_node AND epoch = p_from RETURNING epoch INTO v_epoch;
  RETURN v_epoch;
END $$;

-- set_reachable(incarnation, node, reachable). Role: owner. Grants go to reachable nodes.
CREATE FUNCTION set_reachable(p_incarnation text, p_node text, p_reachable boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = flashsale, pg_temp AS $$
BEGIN
  PERFORM lock_sale(p_incarnation);
  UPDATE registry_nodes SET reachable = p_reachable WHERE node = p_node AND reachable <> p_reachable;
END $$;

-- enter_shard(incarnation, shard, its database's incarnation). Role: owner. First enter, then copy the epochs, then shard_joined.
-- A database re-created under a known name is refused: its orders are lost, and its tokens could sell again.
CREATE FUNCTION enter_shard(p_incarnation text, p_shard text, p_shard_incarnation text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = flashsale, pg_temp AS $$
BEGIN
  PERFORM lock_sale(p_incarnation);
  INSERT INTO registry_shards (shard, shard_incarnation) VALUES (p_shard, p_shard_incarnation) ON CONFLICT DO NOTHING;
  IF (SELECT shard_incarnation FROM registry_shards WHERE shard = p_shard) <> p_shard_incarnation THEN
    RAISE EXCEPTION USING ERRCODE = 'FS001', MESSAGE = format('%s entered the registry with another database', p_shard);
  END IF;
END $$;

CREATE FUNCTION shard_joined(p_incarnation text, p_shard text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = flashsale, pg_temp AS $$
BEGIN
  PERFORM lock_sale(p_incarnation);
  UPDATE registry_shards SET joined = true WHERE shard = p_shard AND NOT joined;
END $$;

GRANT EXECUTE ON FUNCTION registry TO flashsale_operator, flashsale_cache;
GRANT EXECUTE ON FUNCTION set_paused, want_nodes, next_term TO flashsale_operator;
GRANT EXECUTE ON FUNCTION raise_node_epoch TO flashsale_cache;
