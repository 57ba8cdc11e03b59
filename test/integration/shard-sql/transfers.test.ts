// Stock on its way between shards: source → pool → destination, in order, once, without gaps, whatever the queue does.

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Command, Transfer } from '../../../dataplane/protocol/messages.ts';
import type { ShardId, StockHolderId, Units } from '../../../dataplane/protocol/units.ts';
import {
  delivery,
  type Fixture,
  HOUR,
  joinSale,
  reset,
  row,
  SALE,
  startFixture,
  type TestShard,
  wrongWith,
} from './fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture({ fsync: false });
});
afterAll(() => fixture.stop());

const command = (
  source: StockHolderId,
  sequence: number,
  legs: Command['legs'],
  term = 1,
  incarnation = SALE,
): Command => ({
  incarnation,
  source,
  term,
  sequence,
  legs,
});

describe('a command', () => {
  test('R17, R18, R20: takes every leg from the source in one transaction, by way of the pool', async () => {
    const { agent, sql } = await fixture.shard(10);
    const { peerIncarnation } = await agent.state();
    const transfers = await agent.execute(
      command('s0', 1, [
        { destination: 's1', units: 3 },
        { destination: 's2', units: 4 },
        { destination: 'pool', units: 1 },
      ]),
    );
    const common = { incarnation: SALE, from: 's0', fromIncarnation: peerIncarnation, to: 'pool' };
    expect(transfers).toEqual([
      { ...common, destination: 's1', units: 3, version: 2, previous: 0 },
      { ...common, destination: 's2', units: 4, version: 3, previous: 2 },
      { ...common, destination: 'pool', units: 1, version: 4, previous: 3 },
    ]);
    expect(await agent.state()).toMatchObject({
      available: 2,
      sent: { s1: 3, s2: 4, pool: 1 },
      command: { term: 1, sequence: 1 },
    });
    expect(await wrongWith(sql)).toEqual([]);
  });

  test('R22: a drained source gives what it has, and nothing where nothing is left', async () => {
    const { agent, storefront, sql } = await fixture.shard(10);
    await storefront.checkout(SALE, [row({ quantity: 6 })], HOUR);
    const legs: Command['legs'] = [
      { destination: 's1', units: 3 },
      { destination: 's2', units: 3 },
      { destination: 's3', units: 3 },
    ];
    const given = await agent.execute(command('s0', 1, legs));
    expect(given.map(({ destination, units }) => ({ destination, units }))).toEqual([
      { destination: 's1', units: 3 },
      { destination: 's2', units: 1 },
    ]);
    expect(await agent.execute(command('s0', 2, legs))).toEqual([]);
    expect(await agent.state()).toMatchObject({ available: 0, command: { sequence: 2 }, sent: { s1: 3, s2: 1 } });
    expect(await wrongWith(sql)).toEqual([]);
  });

  test.each([
    { last: [2, 5], next: [2, 5], runs: false },
    { last: [2, 5], next: [2, 4], runs: false },
    { last: [2, 5], next: [1, 9], runs: false },
    { last: [2, 5], next: [2, 6], runs: true },
    { last: [2, 5], next: [3, 1], runs: true },
  ])('R21: after (term, sequence) $last, $next runs: $runs', async ({ last, next, runs }) => {
    const { agent } = await fixture.shard(10);
    const leg: Command['legs'] = [{ destination: 's1', units: 2 }];
    const [[t0 = 0, s0 = 0], [t1 = 0, s1 = 0]] = [last, next];
    await agent.execute(command('s0', s0, leg, t0));
    expect(await agent.execute(command('s0', s1, leg, t1))).toHaveLength(runs ? 1 : 0);
    expect((await agent.state()).available).toBe(runs ? 6 : 8);
  });

  test('R21: executed by two agents at once, it is carried out once', async () => {
    const { agent } = await fixture.shard(10);
    const once = command('s0', 1, [{ destination: 's1', units: 2 }]);
    const made = await Promise.all(Array.from({ length: 4 }, () => agent.execute(once)));
    expect(made.flat()).toHaveLength(1);
  });

  test('a leg to the source itself, or of no units, is no leg', async () => {
    const { agent } = await fixture.shard(10);
    const legs: Command['legs'] = [
      { destination: 's0', units: 2 },
      { destination: 's1', units: 0 },
      { destination: 's1', units: -3 },
    ];
    expect(await agent.execute(command('s0', 1, legs))).toEqual([]);
    expect(await agent.state()).toMatchObject({ available: 10, version: 1, sent: {} });
  });

  test('R33: the pool allocates only what it does not owe', async () => {
    const pool = await fixture.pool();
    await pool.wantNodes(1);
    await pool.operator.setSupply(pool.incarnation, 1, 10);
    await pool.operator.setSupply(pool.incarnation, 2, 4);
    expect(await pool.registry.book(pool.incarnation, 'c0', 0, 6, 'c0')).toMatchObject({ owed: 6 });
    expect((await pool.agent.state()).pool).toEqual({ owed: 6, allocatable: 4, supplied: 10, target: 4 });
    const allocated = await pool.agent.execute(
      command('pool', 1, [{ destination: 's0', units: 9 }], 1, pool.incarnation),
    );
    expect(allocated).toMatchObject([{ to: 's0', units: 4 }]);
    expect(await pool.registry.payOwed(pool.incarnation)).toBe(6);
  });
});

describe('a receipt', () => {
  test('R19, R34: is applied once and in order; repeats, gaps and strangers change nothing', async () => {
    const { agent, sql } = await fixture.shard(0);
    const [first, second, third] = [delivery('s0', 5, 3, 0), delivery('s0', 7, 8, 3), delivery('s0', 1, 9, 8)];
    const receive = async (t: Transfer) => (await agent.receive(t)).applied;
    expect(await receive(second)).toBe(false);
    expect(await receive(first)).toBe(true);
    expect(await receive(first)).toBe(false);
    expect(await receive(third)).toBe(false);
    expect(await receive(second)).toBe(true);
    expect(await receive({ ...third, fromIncarnation: 'another database' })).toBe(false);
    expect(await receive({ ...third, version: 20, previous: 0 })).toBe(false);
    expect(await receive(third)).toBe(true);
    expect(await agent.state()).toMatchObject({ available: 13, received: 13, receivedVersions: { pool: 9 } });
    expect(await wrongWith(sql)).toEqual([]);
  });

  test('of the same transfer by two agents at once is one receipt', async () => {
    const { agent } = await fixture.shard(0);
    const answers = await Promise.all(Array.from({ length: 4 }, () => agent.receive(delivery('s0', 5))));
    expect(answers.filter((a) => a.applied)).toHaveLength(1);
    expect(await agent.state()).toMatchObject({ available: 5 });
  });

  test.each([
    ['for another hop', { to: 's1' as const }],
    ['that a shard would have to pass on', { destination: 's1' as const }],
    ['of no units', { units: 0 }],
    ['that follows itself', { version: 4, previous: 4 }],
  ])('%s is refused as a mistake', async (_, over) => {
    const { agent } = await fixture.shard(0);
    await expect(agent.receive({ ...delivery('s0', 5), ...over })).rejects.toMatchObject({ code: 'FS004' });
    expect(await agent.state()).toMatchObject({ version: 0 });
  });

  test('R18, R19, R20: the pool passes on in the transaction that receives, and keeps what is its own', async () => {
    const pool = await fixture.pool();
    for (const id of ['s0', 's1', 's2'] as const) await pool.registry.enterShard(pool.incarnation, id, 'life');
    const incoming = (destination: StockHolderId, units: Units, version: number, previous: number) =>
      pool.agent.receive({
        incarnation: pool.incarnation,
        from: 's0',
        fromIncarnation: 'life',
        to: 'pool',
        destination,
        units,
        version,
        previous,
      });
    const { forwarded } = await incoming('s1', 5, 2, 0);
    expect(forwarded).toMatchObject([{ from: 'pool', to: 's1', destination: 's1', units: 5, version: 2, previous: 0 }]);
    expect(await incoming('s1', 5, 2, 0)).toEqual({ applied: false, forwarded: [] });
    expect(await incoming('pool', 4, 3, 2)).toEqual({ applied: true, forwarded: [] });
    expect((await incoming('s1', 1, 4, 3)).forwarded).toMatchObject([{ version: 5, previous: 2 }]);
    expect((await incoming('s2', 1, 6, 4)).forwarded).toMatchObject([{ version: 7, previous: 0 }]);
    expect(await pool.agent.state()).toMatchObject({
      available: 4,
      received: 4,
      sent: {},
      receivedVersions: { s0: 6 },
    });
    expect(await pool.agent.transfersTo('s1', 0, 10)).toMatchObject([{ version: 2 }, { version: 5, previous: 2 }]);
    expect(await wrongWith(pool.sql)).toEqual([]);
  });
});

describe('stock comes from nobody that the registry does not know', () => {
  test('a shard receives from the pool, and from no other sender', async () => {
    const { agent, sql } = await fixture.shard(0);
    const invented = { ...delivery('s0', 1000), from: 's7' as const };
    await expect(agent.receive(invented)).rejects.toMatchObject({ code: 'FS004' });
    expect(await agent.state()).toMatchObject({ available: 0, version: 0 });
    expect(await wrongWith(sql)).toEqual([]);
  });

  test('the pool receives from shards of its registry, each with its own database', async () => {
    const pool = await fixture.pool();
    await pool.registry.enterShard(pool.incarnation, 's0', 'life');
    const transfer = (from: ShardId, fromIncarnation: string, destination: StockHolderId) =>
      pool.agent.receive({
        ...{ incarnation: pool.incarnation, from, fromIncarnation, to: 'pool' as const, destination },
        ...{ units: 5, version: 2, previous: 0 },
      });
    await expect(transfer('s7', 'life', 'pool')).rejects.toMatchObject({ code: 'FS004' });
    await expect(transfer('s0', 'another life', 'pool')).rejects.toMatchObject({ code: 'FS004' });
    expect(await pool.agent.state()).toMatchObject({ available: 0, version: 0 });
    // What is for nobody would lie on the way for ever.
    expect(await transfer('s0', 'life', 's9')).toEqual({ applied: true, forwarded: [] });
    expect(await pool.agent.state()).toMatchObject({ available: 5, received: 5 });
    expect(await wrongWith(pool.sql)).toEqual([]);
  });
});

test('what is above a version is told again, oldest first, as many as asked for', async () => {
  const { agent } = await fixture.shard(10);
  for (let s = 1; s <= 5; s++) await agent.execute(command('s0', s, [{ destination: 's1', units: 1 }]));
  const all = await agent.transfersTo('pool', 0, 100);
  expect(all.map((t) => t.version)).toEqual([2, 3, 4, 5, 6]);
  expect(await agent.transfersTo('pool', 3, 2)).toEqual(all.slice(2, 4));
  expect(await agent.transfersTo('s1', 0, 100)).toEqual([]);
});

test('R18–R22: stock arrives once and complete though the queue loses, repeats and reorders', async () => {
  const ids: ShardId[] = ['s0', 's1', 's2'];
  const pool = await fixture.pool();
  const shards = new Map<StockHolderId, TestShard>([['pool', pool]]);
  for (const id of ids) shards.set(id, await fixture.shard());
  const at = (id: StockHolderId): TestShard => shards.get(id) ?? pool;
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          source: fc.constantFrom(...ids, 'pool' as const),
          legs: fc.array(fc.record({ destination: fc.constantFrom(...ids, 'pool' as const), units: fc.nat(40) }), {
            maxLength: 3,
          }),
          /** Which of the messages ever sent are delivered after the command, by index from the newest. */
          deliver: fc.array(fc.nat(12), { maxLength: 6 }),
        }),
        { minLength: 3, maxLength: 12 },
      ),
      async (steps) => {
        await Promise.all([...shards.values()].map(reset));
        await pool.registry.initialize();
        const { incarnation } = await pool.view();
        for (const id of ids) {
          await pool.registry.enterShard(incarnation, id, (await at(id).agent.state()).peerIncarnation);
          await joinSale(at(id), incarnation, id);
        }
        await pool.wantNodes(1);
        await pool.operator.setSupply(incarnation, 1, 100);

        const queue: Transfer[] = [];
        const receive = async (t: Transfer) => {
          queue.push(...(await at(t.to).agent.receive(t)).forwarded);
        };
        const found = async () => {
          const states = await Promise.all([...shards.values()].map((s) => s.agent.state()));
          const stock = states.reduce((sum, s) => sum + s.available, 0);
          const inFlight = [...shards.keys()].reduce((sum, id, i) => {
            const sent = states.reduce((all, s) => all + (s.sent[id] ?? 0), 0);
            return sum + sent - (states[i]?.received ?? 0);
          }, 0);
          return { stock, inFlight };
        };
        for (const [i, { source, legs, deliver }] of steps.entries()) {
          queue.push(...(await at(source).agent.execute(command(source, i + 1, legs, 1, incarnation))));
          for (const back of deliver) {
            const message = queue.at(-1 - back);
            if (message) await receive(message);
          }
          const { stock, inFlight } = await found();
          expect(stock + inFlight).toBe(100);
        }
        // Whatever the queue lost is sent again by what the receivers say they have, until nothing is under way.
        for (let round = 0; (await found()).inFlight > 0; round++) {
          expect(round).toBeLessThan(3);
          for (const [from, sender] of shards)
            for (const [to, receiver] of shards) {
              const above = (await receiver.agent.state()).receivedVersions[from] ?? 0;
              for (const t of await sender.agent.transfersTo(to, above, 100)) await receive(t);
            }
        }
        expect((await found()).stock).toBe(100);
        for (const shard of shards.values()) expect(await wrongWith(shard.sql)).toEqual([]);
      },
    ),
    { numRuns: 15, interruptAfterTimeLimit: 30_000 },
  );
}, 120_000);
