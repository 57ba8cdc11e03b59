import { describe, expect, it } from 'vitest';
import { check, type OrderRow, type Readings, type ShardReading } from '../../../operator/audit/check.ts';

/** 10 units: 3 sold (1 of them cancelled and credited again), the rest spread over a shard, the pool and the way. */
function readings(): Readings {
  const orders: OrderRow[] = [
    { token: 't1', buyer: 'ann', quantity: 1, node: 'c0', cancelled: false },
    { token: 't2', buyer: 'bob', quantity: 1, node: 'c0', cancelled: false },
    { token: 't3', buyer: 'cid', quantity: 1, node: 'c0', cancelled: true },
  ];
  const s0: ShardReading = {
    peer: 's0',
    available: 3,
    version: 5,
    ledger: { rows: 5, lowest: 1, highest: 5, sum: 3, orders: -3, cancels: 1, supply: 0 },
    sold: 2,
    orders,
    out: [],
    in: [{ peer: 'pool', destination: 's0', units: 5, version: 2 }],
  };
  const pool: ShardReading = {
    peer: 'pool',
    available: 3,
    version: 3,
    ledger: { rows: 3, lowest: 1, highest: 3, sum: 3, orders: 0, cancels: 0, supply: 10 },
    sold: 0,
    orders: [],
    out: [
      { peer: 's0', destination: 's0', units: 5, version: 2 },
      { peer: 's0', destination: 's0', units: 2, version: 3 },
    ],
    in: [],
  };
  return {
    registry: {
      supplied: 10,
      owed: 0,
      count: 1,
      nodes: [{ id: 'c0', epoch: 1, granted: 11, revoked: 0 }],
      credited: { s0: 1 },
    },
    shards: [s0, pool],
    nodes: [
      {
        node: 'c0',
        epoch: 1,
        virtual: 7,
        granted: 11,
        revoked: 0,
        returnedUnits: 0,
        live: [{ id: 't4', shard: 's0', quantity: 1 }],
        pinned: { s0: 1 },
      },
    ],
    unread: [],
    perBuyer: 1,
  };
}

const altered = (change: (r: Readings) => void): ReturnType<typeof check> => {
  const r = readings();
  change(r);
  return check(r);
};
const shard = (r: Readings, n: number): ShardReading => r.shards[n] as ShardReading;

describe('audit', () => {
  it('R26: finds every unit of a sale that is in order', () => {
    const report = check(readings());
    expect(report.findings).toEqual([]);
    expect(report).toMatchObject({
      conserved: true,
      supplied: 10,
      sold: 2,
      cancelled: 1,
      available: 3,
      pool: 3,
      inFlight: 2,
      missing: 0,
      stranded: 0,
      oversold: 0,
    });
  });

  it('R26, R33: units of a node outside the layout are stranded, whether it can be read or not', () => {
    for (const nodes of [readings().nodes, []]) {
      const report = altered((r) => {
        r.registry.count = 0;
        r.nodes = nodes;
      });
      expect(report).toMatchObject({ conserved: false, stranded: 8 });
      const held = nodes.length > 0 ? ['c0 is outside the layout and holds 7 units of virtual stock'] : [];
      expect(report.findings).toEqual([...held, '8 unsold units that no buyer can get']);
    }
  });

  it('R32: counts a node that cannot be read by what the registry granted it, and says so', () => {
    const report = altered((r) => {
      r.nodes = [];
      r.unread = ['c0'];
    });
    expect(report).toMatchObject({ conserved: false, stranded: 0, missing: 0 });
    expect(report.findings).toEqual(['c0 could not be read; its units are counted by what it was granted']);
  });

  it('R32: counts a node whose epoch was raised since by what the registry granted it: what it says is void', () => {
    const report = altered((r) => {
      r.registry.count = 2;
      r.registry.nodes = [
        { id: 'c0', epoch: 2, granted: 11, revoked: 8 },
        { id: 'c1', epoch: 1, granted: 8, revoked: 0 },
      ];
      r.nodes.push({
        ...{ node: 'c1', epoch: 1, virtual: 8, granted: 8, revoked: 0, returnedUnits: 0, live: [], pinned: {} },
      });
    });
    expect(report.findings).toEqual([]);
    expect(report).toMatchObject({ conserved: true, stranded: 0, virtual: 8, liveTokens: 0 });
    expect(report.places).toContainEqual({
      ...{ place: 'cache c0 (virtual)', units: 0, note: 'of an earlier epoch, void' },
    });
  });

  const wrong: [string, (r: Readings) => void, RegExp, Partial<ReturnType<typeof check>>][] = [
    [
      'R26: a unit that vanished from a stock row',
      (r) => {
        shard(r, 0).available = 2;
      },
      /adds up to 3 units, the stock row says 2/,
      { missing: 1 },
    ],
    [
      'R26: a negative stock row',
      (r) => {
        shard(r, 1).available = -1;
        shard(r, 1).ledger.sum = -1;
      },
      /below zero/,
      {},
    ],
    [
      'R10: a gap in the ledger',
      (r) => {
        shard(r, 0).ledger.rows = 4;
      },
      /4 rows for version 5/,
      {},
    ],
    [
      'R10: an order without its ledger row',
      (r) => {
        shard(r, 0).ledger.orders = -2;
      },
      /orders hold 3 units, the ledger took 2/,
      {},
    ],
    [
      'R18: a transfer applied twice',
      (r) => {
        shard(r, 0).in.push({ peer: 'pool', destination: 's0', units: 5, version: 2 });
      },
      /received them twice/,
      {},
    ],
    [
      'R18: stock received that nobody sent',
      (r) => {
        shard(r, 0).in.push({ peer: 'pool', destination: 's0', units: 1, version: 1 });
      },
      /nobody sent/,
      {},
    ],
    [
      'R18: stock received under a version that its sender has not reached',
      (r) => {
        shard(r, 0).in.push({ peer: 'pool', destination: 's0', units: 1, version: 9e15 });
      },
      /beyond the sender's ledger, which ends at 3/,
      {},
    ],
    [
      'R18: stock received of somebody who is not in the sale',
      (r) => {
        shard(r, 0).in.push({ peer: 's7', destination: 's0', units: 1000, version: 1 });
      },
      /1000 units .* of a sender that is not in the sale/,
      {},
    ],
    [
      'R18: stock sent to nobody',
      (r) => {
        for (const transfer of shard(r, 1).out) transfer.destination = 's7';
      },
      /pool sent 7 units to destinations that are not in the sale/,
      {},
    ],
    [
      'R26: more orders than supply, also where the cut leaves them out',
      (r) => {
        shard(r, 0).sold = 13;
      },
      /3 units sold that were never supplied/,
      { oversold: 3 },
    ],
    [
      'R27: one token sold by two shards',
      (r) => {
        const o = shard(r, 0).orders[0] as OrderRow;
        shard(r, 1).orders.push(o);
        shard(r, 1).ledger.orders = -1;
      },
      /another shard sold too/,
      { duplicateOrders: 2 },
    ],
    [
      'R27: a buyer over the limit',
      (r) => {
        (shard(r, 0).orders[1] as OrderRow).buyer = 'ann';
      },
      /1 buyers ordered more than their limit/,
      { duplicateOrders: 1 },
    ],
    [
      'R30: virtual stock that vanished strands real stock',
      (r) => {
        for (const n of r.nodes) n.virtual = 5;
      },
      /2 unsold units that no buyer can get/,
      { stranded: 2 },
    ],
    [
      'R26: virtual stock out of nothing promises too much',
      (r) => {
        for (const n of r.nodes) n.virtual = 8;
      },
      /promised to buyers, but only 8 unsold/,
      {},
    ],
    [
      'R28: units pinned for tokens that are gone',
      (r) => {
        for (const n of r.nodes) n.pinned = { s0: 2 };
      },
      /2 units pinned to shards, but live tokens hold 1/,
      {},
    ],
    [
      'R26: a node that applied more than it was granted',
      (r) => {
        for (const n of r.registry.nodes) n.granted = 10;
      },
      /applied 11 units of grants, but only 10 were granted/,
      {},
    ],
    [
      'R26: a booking of what no node revoked',
      (r) => {
        for (const n of r.registry.nodes) n.revoked = 1;
      },
      /revoked 0 units, but 1 were booked/,
      {},
    ],
    [
      'R26: a supply row the registry does not know',
      (r) => {
        r.registry.supplied = 9;
      },
      /registry says 9 units were supplied/,
      {},
    ],
  ];
  it.each(wrong)('sees %s', (_name, change, finding, figures) => {
    const report = altered(change);
    expect(report.conserved).toBe(false);
    expect(report.findings.join('\n')).toMatch(finding);
    expect(report).toMatchObject(figures);
  });
});
