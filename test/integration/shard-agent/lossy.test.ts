// Stock under way on a queue that loses, repeats, delays and reorders everything, on real PostgreSQL and Kafka: none is
// lost, none is made, and all of it arrives.

import { pino } from 'pino';
import { Registry } from 'prom-client';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import type { Command } from '../../../dataplane/protocol/messages.ts';
import { ResourceTable } from '../../../dataplane/protocol/table.ts';
import { type StockHolderId, shardId } from '../../../dataplane/protocol/units.ts';
import { systemClock } from '../../../dataplane/runtime/clock.ts';
import { stockHolderMetrics } from '../../../dataplane/shard-agent/metrics.ts';
import { type StockHolder, startStockHolder } from '../../../dataplane/shard-agent/stock-holder.ts';
import { StoreUnknown } from '../../../dataplane/stores/errors.ts';
import type { AgentShard } from '../../../dataplane/stores/shard/shard.ts';
import { type Backstage, openBackstage, type Servers, startServers } from '../../harness/agents.ts';
import { until } from '../../harness/until.ts';
import { lossyBus, seeded } from './lossy-bus.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 180_000 });

const SHARDS = 3;
const SUPPLY = 300;
const COMMANDS = 40;
const log = pino({ level: 'silent' });
let servers: Servers;
let sale: Backstage;
let peers: StockHolder[] = [];

beforeAll(async () => {
  servers = await startServers();
});
afterAll(() => servers.stop());
afterEach(async () => {
  await Promise.all(peers.map((peer) => peer.stop()));
  await sale.stop();
});

/** Pool and shards without agents of their own: the peers run here. */
async function join(): Promise<Map<StockHolderId, AgentShard>> {
  sale = await openBackstage(servers, { shards: SHARDS });
  const pool = sale.agent('pool');
  const { incarnation } = await sale.view();
  await sale.wantNodes(1);
  await sale.setSupply(1, SUPPLY);
  await sale.registry.nextTerm();
  await pool.kill9();
  const shards = new Map<StockHolderId, AgentShard>([['pool', sale.shard('pool')]]);
  for (let i = 0; i < SHARDS; i++) {
    const shard = sale.shard(shardId(i));
    await shard.migrate();
    const { peerIncarnation } = await shard.state();
    await sale.agentRegistry.enterShard(incarnation, shardId(i), peerIncarnation);
    await shard.join(incarnation, shardId(i), peerIncarnation, [{ node: 'c0', epoch: 0 }]);
    shards.set(shardId(i), shard);
  }
  return shards;
}

test.each([1, 2, 3])('R18, R26: stock is conserved and arrives, whatever the queue does (seed %i)', async (seed) => {
  const shards = await join();
  const ids = [...shards.keys()];
  const random = seeded(seed);
  const { incarnation } = await sale.view();
  const mischief = { lose: 0.3, repeat: 0.3, delay: 0.5, longest: 300 };
  peers = await Promise.all(
    [...shards].map(([id, shard]) =>
      startStockHolder({
        id,
        shard,
        registry: sale.registry,
        bus: lossyBus(sale.bus(), random, mischief),
        summaryPeriod: () => 50,
        active: () => true,
        metrics: stockHolderMetrics(new Registry()),
        clock: systemClock,
        log,
      }),
    ),
  );
  const table = new ResourceTable(incarnation);
  await sale.bus().subscribe(['deltas'], { beginning: true }, (_, delta) => {
    table.applyDelta(delta, performance.now());
  });

  const commander = lossyBus(sale.bus(), random, mischief);
  // Who joins a topic hears of nothing that was said before.
  for (const [source, shard] of shards) {
    const legs = source === 'pool' ? ids.map((destination) => ({ destination, units: 20 })) : [];
    const value: Command = { incarnation, source, term: 1, sequence: 1, legs };
    await until(`${source} to listen`, async () => {
      await commander.publish('commands', [{ key: source, value }]);
      return (await shard.state()).command.sequence === 1;
    });
  }
  const pick = () => ids[Math.floor(random() * ids.length)] ?? 'pool';
  let sold = 0;
  for (let sequence = 2; sequence <= COMMANDS; sequence++) {
    const source = pick();
    const legs = ids.map((destination) => ({ destination, units: Math.floor(random() * 30) }));
    const value: Command = { incarnation, source, term: 1, sequence, legs };
    // As a balancer does: said again until it is carried out, here a few times at most.
    for (let i = 0; i < 3; i++) void commander.publish('commands', [{ key: source, value }]);
    const shard = shardId(Math.floor(random() * SHARDS));
    const row = { token: `t${sequence}`, buyer: 'b', quantity: 3, node: 'c0', epoch: 0, sequence: sequence } as const;
    const [outcome] = await sale.storefrontShard(shard).checkout(incarnation, [row], undefined);
    if (outcome === 'sold') sold += 3;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }

  /** Undefined while a database is too busy to answer in time. */
  const states = async () => {
    try {
      return await Promise.all([...shards.values()].map((shard) => shard.state()));
    } catch (error) {
      if (error instanceof StoreUnknown) return undefined;
      throw error;
    }
  };
  const found = await until(
    'R13: nothing is in flight, and the table says what the shards say',
    async () => {
      const read = await states();
      if (read === undefined) return false;
      const sent = read
        .flatMap((state) => Object.values(state.sent))
        .reduce<number>((sum, units = 0) => sum + units, 0);
      const received = read.reduce((sum, state) => sum + state.received, 0);
      const isTold = read.every((state, i) => {
        const id = ids[i] ?? 'pool';
        const view = id === 'pool' ? table.pool() : table.shard(id);
        return view?.available === state.available && view.inFlight === 0;
      });
      return sent > 0 && sent === received && isTold && read;
    },
    120_000,
  );
  expect(found.reduce((sum, { available }) => sum + available, 0) + sold).toBe(SUPPLY);
  expect(table.disagreements).toBe(0);
});
