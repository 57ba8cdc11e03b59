-- The registry, as far as it touches units: supply, withdrawal, revocations, credits. Lock order: stock, then sale.
-- For each node, always: granted − revoked = V + live tokens + units ever ordered through it.

-- initialize(): makes the sale row with a fresh incarnation, unless there is one, and joins the pool to it.
-- Role: owner. A pool that was kept is adopted with its own incarnation.
CREATE FUNCTION initialize() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = flashsale, pg_temp AS $$
BEGIN
  PERFORM lock_stock();
  INSERT INTO sale (incarnation) VALUES (gen_random_uuid()::text) ON CONFLICT DO NOTHING;
  PERFORM join_sale(
    (SELECT incarnation FROM sale), 'pool', (SELECT peer_incarnation FROM instance), '{}', '{}');
END $$;

-- Writes a supply row: `units` (signed) into the pool's stock and the sale's `supplied`. The caller holds both locks.
CREATE FUNCTION supply(p_units bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  v_part bigint;
BEGIN
  UPDATE sale SET supplied = supplied + p_units, part = part + 1 RETURNING part INTO v_part;
  UPDATE stock SET available = available + p_units, version = version + 1;
  INSERT INTO ledger (version, kind, delta, ref, at)
  SELECT s.version, 'supply', p_units, r.generation || '.' || v_part, clock_timestamp() FROM stock s, sale r;
END $$;

-- Raises `granted` by `units` in all: evenly over the reachable nodes that stay in the layout (over all of those when
-- none is reachable), remainders one by one from the node with least (R1). The caller holds the sale row's lock.
CREATE FUNCTION grant_evenly(p_units bigint) RETURNS void
LANGUAGE sql AS $$
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

-- set_supply(incarnation, generation, target) → false: the generation is not newer than the last, or older than that of
-- another wish. Role: operator. R1, R33.
-- Absolute. What is raised first cancels what is owed, then is supplied anew; a lower target is recorded here and
-- carried out by book and pay_owed.
CREATE FUNCTION set_supply(p_incarnation text, p_generation bigint, p_target bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = flashsale, pg_temp AS $$
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

-- Whether a node may be granted units: it is in the layout, and stays there when a resize runs. What is granted to
-- another one could be bought by nobody. The caller holds the sale row's lock.
CREATE FUNCTION may_grant(p_sale sale, p_node text) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_number integer := (SELECT number FROM registry_nodes WHERE node = p_node);
BEGIN
  IF v_number IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'FS004', MESSAGE = format('no cache node %s to grant to', p_node);
  END IF;
  RETURN v_number < least(p_sale.count, coalesce(p_sale.resizing_to, p_sale.count));
END $$;

-- book(incarnation, node, epoch, revoked total, grant to) → units booked, of those owed, of those granted to `grant to`.
-- Role: owner. What a node revoked pays a lowered supply first; the rest is granted in the same transaction. Only from
-- the node's current epoch: a dead epoch's total says nothing. All zero, too, when `grant to` may not be granted
-- anything: the units stay unbooked, and the caller looks again.
CREATE FUNCTION book(
  p_incarnation text, p_node text, p_epoch bigint, p_revoked_total bigint, p_grant_to text
)
RETURNS TABLE (booked bigint, owed bigint, granted bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = flashsale, pg_temp AS $$
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

-- tell_cancelled(incarnation, shard, its database's incarnation, total). Role: owner.
-- The shard's own agent brings the lifetime total of cancelled units from the shard's database. Only upward, and only of
-- the database that entered the registry.
CREATE FUNCTION tell_cancelled(p_incarnation text, p_shard text, p_shard_incarnation text, p_total bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = flashsale, pg_temp AS $$
BEGIN
  PERFORM lock_sale(p_incarnation);
  UPDATE registry_shards SET cancelled = p_total
   WHERE shard = p_shard AND shard_incarnation = p_shard_incarnation AND cancelled < p_total;
END $$;

-- credit(incarnation, shard, node) → units granted: those that were told to be cancelled and not credited before. Role: owner.
-- Cancelled units become virtual stock again; none when the node may not be granted anything.
CREATE FUNCTION credit(p_incarnation text, p_shard text, p_node text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = flashsale, pg_temp AS $$
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

-- pay_owed(incarnation) → units of the pool's stock that left the sale by a negative supply row. Role: owner.
CREATE FUNCTION pay_owed(p_incarnation text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = flashsale, pg_temp AS $$
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

GRANT EXECUTE ON FUNCTION set_supply TO flashsale_operator;
