// Where is every unit? Pure: readings of the databases and cache nodes in, a verdict out (R7, R26, R27, R30, R32).
// It knows nothing of the program's own counters: each figure is summed from rows and tokens.
//
// The readings are taken one store after the other while the sale may go on. The databases' are brought to a consistent
// cut (cut.ts), so that whatever was received is found among what was sent. What a moving sale still blurs (an order not
// yet settled at its node) is named `unsettled` and counted once.

import {
  type Epoch,
  type NodeId,
  nodeNumber,
  type ShardId,
  type StockHolderId,
  sum,
  type TokenId,
  type Units,
  type Version,
} from '../../dataplane/protocol/units.ts';

export interface TransferRow {
  /** Out: the hop it went to. In: the sender. */
  peer: StockHolderId;
  destination: StockHolderId;
  units: Units;
  /** The sender's version. */
  version: Version;
}

export interface OrderRow {
  token: TokenId;
  buyer: string;
  quantity: Units;
  node: NodeId;
  cancelled: boolean;
}

/** One shard's database (or the pool's), read in one snapshot. */
export interface ShardReading {
  peer: StockHolderId;
  available: Units;
  version: Version;
  ledger: { rows: number; lowest: Version; highest: Version; sum: Units; orders: Units; cancels: Units; supply: Units };
  /** Units of all orders that are not cancelled, whatever the cut leaves out. */
  sold: Units;
  orders: OrderRow[];
  out: TransferRow[];
  in: TransferRow[];
}

export interface LiveToken {
  id: TokenId;
  shard: ShardId;
  quantity: Units;
}

export interface NodeReading {
  node: NodeId;
  epoch: Epoch;
  virtual: Units;
  granted: Units;
  revoked: Units;
  /** Units that came back from tokens which ended unsold, in this epoch. */
  returnedUnits: Units;
  live: LiveToken[];
  pinned: Partial<Record<ShardId, Units>>;
}

export interface RegistryReading {
  supplied: Units;
  owed: Units;
  /** Nodes c0 … c(count−1) take purchases. */
  count: number;
  nodes: { id: NodeId; epoch: Epoch; granted: Units; revoked: Units }[];
  credited: Partial<Record<ShardId, Units>>;
}

export interface Readings {
  registry: RegistryReading;
  shards: ShardReading[];
  nodes: NodeReading[];
  /** Nodes whose data could not be read (lost, recovering); their units are counted by the registry. */
  unread: NodeId[];
  perBuyer: Units;
}

export interface AuditReport {
  /** True when every unit is where a row or a token says, and nothing below is wrong. */
  conserved: boolean;
  supplied: Units;
  sold: Units;
  cancelled: Units;
  available: Units;
  pool: Units;
  inFlight: Units;
  virtual: Units;
  liveTokens: number;
  liveUnits: Units;
  /** Units that came back from tokens which ended unsold, since each node's last recovery. */
  returned: Units;
  owed: Units;
  oversold: Units;
  /** Unsold units that no buyer can get: held by a shard, but virtual stock of no node and of no live token. */
  stranded: Units;
  /** supplied − (everything found); negative: extra units. */
  missing: Units;
  duplicateOrders: number;
  /** One sentence for each thing that is wrong. */
  findings: string[];
  /** Where every unit is. */
  places: { place: string; units: Units; note: string }[];
}

/** Versions are 1…n without gaps, they add up to the stock row, and each order has its ledger row. */
function checkLedger(shard: ShardReading): string[] {
  const { ledger, peer } = shard;
  const found: string[] = [];
  if (ledger.rows !== shard.version || (ledger.rows > 0 && (ledger.lowest !== 1 || ledger.highest !== shard.version)))
    found.push(
      `${peer}: the ledger has ${ledger.rows} rows for version ${shard.version}; it must have one for each version`,
    );
  if (ledger.sum !== shard.available)
    found.push(`${peer}: the ledger adds up to ${ledger.sum} units, the stock row says ${shard.available}`);
  if (shard.available < 0) found.push(`${peer}: ${shard.available} units available, below zero`);
  const ordered = sum(shard.orders, (o) => o.quantity);
  if (-ledger.orders !== ordered)
    found.push(`${peer}: orders hold ${ordered} units, the ledger took ${-ledger.orders} for orders`);
  const cancelled = sum(shard.orders, (o) => (o.cancelled ? o.quantity : 0));
  if (ledger.cancels !== cancelled)
    found.push(`${peer}: cancelled orders hold ${cancelled} units, the ledger gave back ${ledger.cancels}`);
  return found;
}

/** Everything received was sent, once, with the same units; what was sent and not received is in flight. */
function checkTransfers(shards: ShardReading[]): { inFlight: Units; found: string[] } {
  const ends = new Map(shards.map(({ peer, version }) => [peer, version]));
  const key = (from: StockHolderId, to: StockHolderId, version: Version) => `${from}>${to}@${version}`;
  const sent = new Map<string, Units>();
  for (const s of shards) for (const t of s.out) sent.set(key(s.peer, t.peer, t.version), t.units);
  let inFlight = sum(sent.values(), (units) => units);
  const found: string[] = [];
  for (const s of shards) {
    for (const t of s.in) {
      const name = key(t.peer, s.peer, t.version);
      const units = sent.get(name);
      const end = ends.get(t.peer);
      if (end === undefined)
        found.push(`${s.peer} received ${t.units} units (${name}) of a sender that is not in the sale`);
      else if (t.version > end)
        found.push(`${s.peer} received ${t.units} units (${name}) beyond the sender's ledger, which ends at ${end}`);
      else if (units === undefined)
        found.push(`${s.peer} received ${t.units} units (${name}) that nobody sent, or received them twice`);
      else if (units !== t.units) found.push(`${s.peer} received ${t.units} units (${name}) where ${units} were sent`);
      sent.delete(name);
      inFlight -= units ?? 0;
    }
    const nowhere = sum(s.out, ({ destination, units }) => (ends.has(destination) ? 0 : units));
    if (nowhere > 0) found.push(`${s.peer} sent ${nowhere} units to destinations that are not in the sale`);
  }
  return { inFlight, found };
}

/**
 * granted − revoked = V + live tokens + units ever ordered through the node; grants under way count as its own. Nobody
 * can purchase from a node outside the layout, so what is left on such a node is stranded.
 */
function checkNodes(readings: Readings, orders: Map<TokenId, OrderRow>): { purchasable: Units; found: string[] } {
  const ordered = new Map<NodeId, Units>();
  for (const order of orders.values()) ordered.set(order.node, (ordered.get(order.node) ?? 0) + order.quantity);
  const found: string[] = [];
  let purchasable = 0;
  for (const entry of readings.registry.nodes) {
    const node = readings.nodes.find((n) => n.node === entry.id);
    const through = ordered.get(entry.id) ?? 0;
    const isMember = nodeNumber(entry.id) < readings.registry.count;
    if (!node) {
      if (!isMember) continue;
      purchasable += entry.granted - entry.revoked - through;
      if (readings.unread.includes(entry.id))
        found.push(`${entry.id} could not be read; its units are counted by what it was granted`);
      continue;
    }
    const unsold = sum(node.live, (t) => (orders.has(t.id) ? 0 : t.quantity));
    const unapplied = entry.granted - node.granted;
    const unbooked = node.revoked - entry.revoked;
    if (!isMember && node.virtual > 0)
      found.push(`${entry.id} is outside the layout and holds ${node.virtual} units of virtual stock`);
    if (isMember) purchasable += node.virtual + unsold + unapplied + unbooked;
    // The registry is read after the nodes: it may know more, never less, than a node that stands still.
    if (unapplied < 0)
      found.push(`${entry.id}: applied ${node.granted} units of grants, but only ${entry.granted} were granted`);
    if (unbooked < 0) found.push(`${entry.id}: revoked ${node.revoked} units, but ${entry.revoked} were booked`);
    if (node.virtual < 0) found.push(`${entry.id}: ${node.virtual} units of virtual stock, below zero`);
    const difference = node.granted - node.revoked - node.virtual - unsold - through;
    if (difference !== 0)
      found.push(
        `${entry.id}: granted ${node.granted} − revoked ${node.revoked} should be virtual ${node.virtual} + live ${unsold} + ordered ${through}; ${Math.abs(difference)} units ${difference > 0 ? 'missing' : 'too many'}`,
      );
    const pinned = sum(Object.values(node.pinned), (units) => units ?? 0);
    const live = sum(node.live, (t) => t.quantity);
    if (pinned !== live) found.push(`${entry.id}: ${pinned} units pinned to shards, but live tokens hold ${live}`);
  }
  return { purchasable, found };
}

function checkOrders(readings: Readings): { orders: Map<TokenId, OrderRow>; duplicates: number; found: string[] } {
  const orders = new Map<TokenId, OrderRow>();
  const buyers = new Map<string, Units>();
  const found: string[] = [];
  let duplicates = 0;
  for (const shard of readings.shards) {
    for (const order of shard.orders) {
      if (orders.has(order.token)) {
        duplicates++;
        found.push(`${shard.peer}: a token was sold that another shard sold too`);
      }
      orders.set(order.token, order);
      buyers.set(order.buyer, (buyers.get(order.buyer) ?? 0) + order.quantity);
    }
  }
  const over = sum(buyers.values(), (units) => (units > readings.perBuyer ? 1 : 0));
  if (over > 0) found.push(`${over} buyers ordered more than their limit of ${readings.perBuyer}`);
  return { orders, duplicates: duplicates + over, found };
}

/** What a node says under an epoch that the registry has raised since (it is recovered, or was fenced) is void. */
function inForce(readings: Readings): { nodes: NodeReading[]; superseded: NodeId[] } {
  const epochs = new Map(readings.registry.nodes.map(({ id, epoch }) => [id, epoch]));
  const isInForce = ({ node, epoch }: NodeReading) => epoch >= (epochs.get(node) ?? 0);
  return {
    nodes: readings.nodes.filter(isInForce),
    superseded: readings.nodes.filter((reading) => !isInForce(reading)).map(({ node }) => node),
  };
}

export function check(all: Readings): AuditReport {
  const { nodes, superseded } = inForce(all);
  const readings: Readings = { ...all, nodes };
  const { registry, shards } = readings;
  const { orders, duplicates, found: orderFindings } = checkOrders(readings);
  const { inFlight, found: transferFindings } = checkTransfers(shards);
  const { purchasable, found: nodeFindings } = checkNodes(readings, orders);
  const findings = [...shards.flatMap(checkLedger), ...transferFindings, ...orderFindings, ...nodeFindings];

  const supplied = sum(shards, (s) => s.ledger.supply);
  if (supplied !== registry.supplied)
    findings.push(`the registry says ${registry.supplied} units were supplied, the pool's ledger ${supplied}`);
  const pool = sum(shards, (s) => (s.peer === 'pool' ? s.available : 0));
  const available = sum(shards, (s) => (s.peer === 'pool' ? 0 : s.available));
  const sold = sum(orders.values(), (o) => (o.cancelled ? 0 : o.quantity));
  const cancelled = sum(orders.values(), (o) => (o.cancelled ? o.quantity : 0));
  const missing = supplied - available - pool - inFlight - sold;
  if (missing !== 0)
    findings.push(`${Math.abs(missing)} units ${missing > 0 ? 'missing' : 'too many'} of ${supplied} supplied`);
  // By the orders and the supply alone: whatever is wrong elsewhere must not hide it.
  const oversold = Math.max(0, sum(shards, (s) => s.sold) - registry.supplied);
  if (oversold > 0) findings.push(`${oversold} units sold that were never supplied`);

  const credited = sum(Object.values(registry.credited), (units) => units ?? 0);
  const uncredited = cancelled - credited;
  const unsold = available + pool + inFlight;
  const promised = purchasable + uncredited + registry.owed;
  if (promised > unsold) findings.push(`${promised} units promised to buyers, but only ${unsold} unsold`);
  const stranded = Math.max(0, unsold - promised);
  if (stranded > 0) findings.push(`${stranded} unsold units that no buyer can get`);

  const virtual = sum(nodes, (n) => n.virtual);
  const liveTokens = sum(nodes, (n) => n.live.length);
  const liveUnits = sum(nodes, (n) => sum(n.live, (t) => t.quantity));
  const unsettled = sum(nodes, (n) => sum(n.live, (t) => (orders.has(t.id) ? 1 : 0)));
  const places = [
    ...shards.map((s) => ({
      place: s.peer === 'pool' ? 'transfer pool' : `shard ${s.peer}`,
      units: s.available,
      note: s.peer === 'pool' ? '' : `${sum(s.orders, (o) => (o.cancelled ? 0 : o.quantity))} sold`,
    })),
    { place: 'in flight', units: inFlight, note: '' },
    { place: 'orders', units: sold, note: cancelled > 0 ? `${cancelled} more were cancelled` : '' },
    ...nodes.map((n) => ({
      place: `cache ${n.node} (virtual)`,
      units: n.virtual,
      note: `${n.live.length} live tokens`,
    })),
    ...superseded.map((n) => ({ place: `cache ${n} (virtual)`, units: 0, note: 'of an earlier epoch, void' })),
    ...readings.unread.map((n) => ({ place: `cache ${n} (virtual)`, units: 0, note: 'could not be read' })),
  ];
  if (unsettled > 0) places.push({ place: 'tokens sold, not yet settled', units: unsettled, note: '' });
  return {
    conserved: findings.length === 0,
    supplied,
    sold,
    cancelled,
    available,
    pool,
    inFlight,
    virtual,
    liveTokens,
    liveUnits,
    returned: sum(nodes, (n) => n.returnedUnits),
    owed: registry.owed,
    oversold,
    stranded,
    missing,
    duplicateOrders: duplicates,
    findings,
    places,
  };
}
