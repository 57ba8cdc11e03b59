-- Stock on its way: source → pool → destination (R18). Each hop's transfers form a chain by the sender's versions and
-- are applied in order, once, without gaps; so the queue between may lose, repeat and reorder anything.
-- Everything here is the owner's.

-- Every transfer that ever left, as the message that carries it.
CREATE VIEW transfers AS
  SELECT i.incarnation, i.self AS source, i.peer_incarnation AS source_incarnation, l.peer AS hop, l.destination,
         -l.delta AS units, l.version, l.previous
    FROM ledger l, instance i
   WHERE l.kind = 'transfer_out';

-- What a delta message needs, in one statement. `owed` … are null where there is no registry.
CREATE VIEW state AS
  SELECT i.peer_incarnation, i.incarnation, i.self, s.version, s.available, s.sold, s.cancelled, s.missed,
         s.missed_max, s.received, s.command_term, s.command_sequence,
         (SELECT coalesce(jsonb_object_agg(destination, units), '{}') FROM sent) AS sent,
         (SELECT coalesce(jsonb_object_agg(source, version), '{}') FROM received) AS received_versions,
         r.owed, CASE WHEN r.owed IS NOT NULL THEN greatest(0, s.available - r.owed) END AS allocatable, r.supplied, r.target
    FROM instance i, stock s
    LEFT JOIN sale r ON true;

-- Writes one transfer_out row; the caller holds the lock and counts it in the stock row.
CREATE FUNCTION send(p_version bigint, p_hop text, p_destination text, p_units bigint, p_ref text) RETURNS void
LANGUAGE sql AS $$
  INSERT INTO ledger (version, kind, delta, ref, at, peer, destination, previous)
  SELECT p_version, 'transfer_out', -p_units, p_ref, clock_timestamp(), p_hop, p_destination,
         coalesce(max(version), 0)
    FROM ledger WHERE kind = 'transfer_out' AND peer = p_hop
$$;

-- execute(incarnation, term, sequence, destinations, units) → the transfers made, all in one transaction (R17, R20).
-- Each leg gives min(asked, what is left), and nothing at all when nothing is left (R22); the pool keeps what it owes.
-- A (term, sequence) not newer than the last one does nothing.
CREATE FUNCTION execute(
  p_incarnation text, p_term bigint, p_sequence bigint, p_destinations text[], p_units bigint[]
) RETURNS SETOF transfers
LANGUAGE plpgsql SECURITY DEFINER SET search_path = flashsale, pg_temp SET enable_seqscan = off SET jit = off AS $$
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

-- receive(the transfer) → whether it was applied, and what the pool sent on in the same transaction (else nulls).
-- Not applied: a repeat, something before it is missing, or a sender whose database is another one than before.
-- Refused: a sender that the registry does not know. A shard gets stock from the pool only, and the pool from the shards
-- of its registry. What is for a shard that is not among them stays in the pool: nobody else would ever take it.
CREATE FUNCTION receive(
  p_incarnation text, p_source text, p_source_incarnation text, p_hop text, p_destination text, p_units bigint,
  p_version bigint, p_previous bigint
) RETURNS TABLE (applied boolean, forwarded transfers)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = flashsale, pg_temp SET enable_seqscan = off SET jit = off AS $$
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

-- transfers_to(hop, above, limit) → what is to be sent again, oldest first.
CREATE FUNCTION transfers_to(p_hop text, p_above bigint, p_limit bigint) RETURNS SETOF transfers
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = flashsale, pg_temp AS $$
  SELECT * FROM transfers WHERE hop = p_hop AND version > p_above ORDER BY version LIMIT p_limit
$$;
