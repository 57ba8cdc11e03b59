// The shard agents as processes of their own, on real PostgreSQL and Kafka: joining, reporting, relaying, moving
// stock; killed in the middle, and with Kafka away or empty.

import { Kafka, type KafkaMessage, logLevel } from 'kafkajs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Delta, topicName } from '../../../dataplane/protocol/messages.ts';
import { CLOUD_EVENTS_MEDIA_TYPE, type OrderCloudEvent } from '../../../dataplane/protocol/order-event.ts';
import { ResourceTable } from '../../../dataplane/protocol/table.ts';
import type { ShardId, StockHolderId, Units } from '../../../dataplane/protocol/units.ts';
import type { Bus } from '../../../dataplane/runtime/bus.ts';
import type { CheckoutOutcome } from '../../../dataplane/stores/shard/shard.ts';
import { type Agent, type Backstage, openBackstage, type Servers, startServers } from '../../harness/agents.ts';
import { publishedSchema } from '../../harness/order-events.ts';
import { until } from '../../harness/until.ts';

// Many processes start and die here; a busy machine is slow at that.
vi.setConfig({ testTimeout: 180_000 });

const SUPPLY = 100;
let servers: Servers;
let sale: Backstage;
let bus: Bus;
let agents: Map<StockHolderId, Agent>;
let incarnation: string;
let sequence = 0;
let tokens = 0;

beforeAll(async () => {
  servers = await startServers();
});
afterAll(() => servers.stop());

beforeEach(async () => {
  sale = await openBackstage(servers, { shards: 2 });
  agents = new Map([['pool', sale.agent('pool')]]);
  incarnation = (await sale.view()).incarnation;
  // The shards copy the node's epoch when they join: then its tokens sell.
  await sale.wantNodes(1);
  await sale.setSupply(1, SUPPLY);
  expect(await sale.registry.nextTerm()).toBe(1);
  for (const id of ['s0', 's1'] as const) agents.set(id, sale.agent(id));
  await allReady();
  bus = sale.bus();
});
afterEach(() => sale.stop());

const allReady = () =>
  until('every agent is ready', async () => {
    const ready = await Promise.all([...agents.values()].map((agent) => agent.ready()));
    return ready.every(Boolean);
  });

/** Publishes a command until it was executed. */
async function command(source: StockHolderId, legs: { destination: StockHolderId; units: Units }[]) {
  sequence += 1;
  const value = { incarnation, source, term: 1, sequence, legs };
  const shard = sale.shard(source);
  await until(`command ${sequence} is executed by ${source}`, async () => {
    await bus.publish('commands', [{ key: source, value }]);
    const done = (await shard.state().catch(() => undefined))?.command.sequence === sequence;
    return done;
  });
}

const available = async (peer: StockHolderId) => (await sale.shard(peer).state()).available;
const hold = (amounts: Partial<Record<StockHolderId, Units>>) =>
  until(`the stock is ${JSON.stringify(amounts)}`, async () => {
    for (const [peer, units] of Object.entries(amounts))
      if ((await available(peer as StockHolderId).catch(() => undefined)) !== units) return false;
    return true;
  });

/** Checks out `orders` tokens of one unit, one after another. */
async function sell(shard: ShardId, orders: number): Promise<CheckoutOutcome[]> {
  const storefront = sale.storefrontShard(shard);
  const outcomes: CheckoutOutcome[] = [];
  for (let i = 0; i < orders; i++) {
    const token = `token-${tokens++}`.padEnd(22, 'x');
    const row = { token, buyer: `buyer-${token}`, quantity: 1, node: 'c0', epoch: 0, sequence: tokens } as const;
    outcomes.push(...(await storefront.checkout(incarnation, [row], undefined)));
  }
  return outcomes;
}

/** All deltas from now on, and the table they make. */
async function listen() {
  const table = new ResourceTable(incarnation);
  const deltas: Delta[] = [];
  await sale.bus().subscribe(['deltas'], { beginning: true }, (_, delta) => {
    deltas.push(delta);
    table.applyDelta(delta, performance.now());
  });
  await until('everyone is heard', () => table.pool() !== undefined && table.shards().length === 2);
  return { table, deltas };
}

describe('R13: reports', () => {
  test('R9, R10, R12: every committed change reaches the table, summed per period; a failed one does not', async () => {
    await command('pool', [{ destination: 's0', units: 60 }]);
    await hold({ s0: 60 });
    const { table, deltas } = await listen();
    const began = performance.now();
    const before = deltas.length;
    expect(await sell('s0', 60)).not.toContain('short');
    expect(await sell('s0', 2)).toEqual(['short', 'short']);
    await until('the table knows', () => table.shard('s0')?.missed === 2);
    const periods = (performance.now() - began) / sale.config.balancer.summaryPeriod;
    expect(table.shard('s0')).toMatchObject({ available: 0, sold: 60, missed: 2 });
    expect(table.disagreements).toBe(0);
    // Halvings and misses may be said at once, everything else is summed.
    expect(deltas.slice(before).filter(({ peer }) => peer === 's0').length).toBeLessThan(periods + 20);
    const chain = deltas.filter(({ peer, fromVersion, version }) => peer === 's0' && version > fromVersion);
    for (const [i, delta] of chain.entries()) if (i > 0) expect(delta.fromVersion).toBe(chain[i - 1]?.version);
  });

  test('R19: both legs of a transfer are reported, and the pool says what it owes', async () => {
    const { table } = await listen();
    await command('pool', [
      { destination: 's0', units: 30 },
      { destination: 's1', units: 30 },
    ]);
    // A source gives what it has: what the pool sent has to be there first.
    await hold({ s0: 30, s1: 30 });
    await command('s0', [{ destination: 's1', units: 10 }]);
    await until('the table knows', () => table.shard('s1')?.available === 40 && table.shard('s0')?.available === 20);
    await until('nothing is in flight', () => table.inFlight('s1') === 0);
    await until('the pool has said it all', () => table.pool()?.available === 40);
    expect(table.pool()).toMatchObject({ available: 40, supplied: SUPPLY, target: SUPPLY, owed: 0, allocatable: 40 });
    await sale.setSupply(2, 90);
    await until('the table knows the new target', () => table.pool()?.target === 90);
  });
});

describe('orders', () => {
  const shop = (events: OrderCloudEvent[]) =>
    sale.bus().subscribe(['orders'], { beginning: true }, (_, event) => {
      events.push(event);
    });

  test('R10, R11: every order is told to the merchant, in version order, though the agent is killed meanwhile', async () => {
    const events: OrderCloudEvent[] = [];
    await shop(events);
    await command('pool', [{ destination: 's0', units: 50 }]);
    await hold({ s0: 50 });
    const sold = sell('s0', 50);
    await until('some are told', () => events.length > 5);
    await agents.get('s0')?.kill9();
    expect(await sold).not.toContain('short');
    agents.set('s0', sale.agent('s0'));
    await until('all are told', () => new Set(events.map(({ subject }) => subject)).size === 50);
    const first = [...new Set(events.map(({ data }) => data.version))];
    expect(first).toEqual([...first].sort((a, b) => a - b));
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(['dev.flashsale.order.placed']));
  });

  test('a stranger’s consumer reads what the published schema says, and who sold what', async () => {
    await command('pool', [{ destination: 's0', units: 3 }]);
    await hold({ s0: 3 });
    await sell('s0', 3);
    const messages: KafkaMessage[] = [];
    const consumer = new Kafka({ brokers: sale.config.kafka.brokers, logLevel: logLevel.NOTHING }).consumer({
      groupId: `stranger.${sale.config.name}`,
    });
    await consumer.connect();
    await consumer.subscribe({ topic: topicName(sale.config.kafka.prefix, 'orders'), fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }) => {
        messages.push(message);
      },
    });
    await until('all are read', () => messages.length >= 3);
    await consumer.disconnect();
    const valid = publishedSchema();
    for (const { key, value, headers } of messages) {
      const event = JSON.parse(String(value)) as OrderCloudEvent;
      expect(valid(event), JSON.stringify(valid.errors)).toBe(true);
      expect(String(headers?.['content-type'])).toBe(CLOUD_EVENTS_MEDIA_TYPE);
      expect(event.subject).toBe(String(key));
      const { namespace, name, sku } = sale.config;
      expect(event.data).toMatchObject({ namespace, sale: name, sku, shard: 's0', kind: 'placed', quantity: 1 });
    }
  });

  test('R10: a commit whose report was cut off is reported by the next agent', async () => {
    await command('pool', [{ destination: 's0', units: 10 }]);
    await hold({ s0: 10 });
    const { table } = await listen();
    sale.failAt('shard-agent', 's0', 'relay-read');
    await agents.get('s0')?.ended();
    await sell('s0', 3);
    agents.set('s0', sale.agent('s0'));
    await until('the table knows', () => table.shard('s0')?.sold === 3);
    expect(table.shard('s0')?.available).toBe(7);
  });

  test('an unpaid order is cancelled when its deadline has passed', async () => {
    await command('pool', [{ destination: 's0', units: 10 }]);
    await hold({ s0: 10 });
    const row = { token: 'late', buyer: 'b', quantity: 2, node: 'c0', epoch: 0, sequence: 900 } as const;
    const storefront = sale.storefrontShard('s0');
    expect(await storefront.checkout(incarnation, [row], 300)).toEqual(['sold']);
    await until('it is cancelled', async () => (await storefront.order(incarnation, 'late'))?.status === 'cancelled');
    await hold({ s0: 10 });
  });
});

describe('R17, R18: stock moves source → pool → destination', () => {
  test('R20, R22: from the pool to several at once, and from a shard as much as it has', async () => {
    await command('pool', [
      { destination: 's0', units: 30 },
      { destination: 's1', units: 20 },
    ]);
    await hold({ pool: 50, s0: 30, s1: 20 });
    await sell('s0', 25);
    await command('s0', [{ destination: 's1', units: 40 }]);
    await hold({ pool: 50, s0: 0, s1: 25 });
    await command('s0', [{ destination: 's1', units: 40 }]);
    await command('s1', [{ destination: 'pool', units: 25 }]);
    await hold({ pool: 75, s0: 0, s1: 0 });
  });

  test('a command of a term that the registry never gave is refused, and the balancer’s own is executed', async () => {
    await command('pool', [{ destination: 's0', units: 10 }]);
    const forged = { incarnation, source: 's0' as const, term: 9e15, sequence: 1, legs: [] };
    await until('it is refused', async () => {
      await bus.publish('commands', [{ key: 's0', value: forged }]);
      return /shard_refused_commands_total(\{.*\})? [1-9]/.test((await agents.get('s0')?.metrics()) ?? '');
    });
    await command('s0', [{ destination: 's1', units: 4 }]);
    await hold({ s0: 6, s1: 4 });
  });

  test('R21: a command said many times is executed once', async () => {
    await command('pool', [{ destination: 's0', units: 10 }]);
    const value = { incarnation, source: 'pool', term: 1, sequence, legs: [{ destination: 's0', units: 10 }] } as const;
    for (let i = 0; i < 20; i++)
      await bus.publish('commands', [{ key: 'pool', value: { ...value, legs: [...value.legs] } }]);
    await command('pool', [{ destination: 's1', units: 1 }]);
    await hold({ pool: 89, s0: 10, s1: 1 });
  });

  test.each<[string, StockHolderId, 'transfer-executed' | 'transfer-received']>([
    ['the source dies between executing and sending', 's0', 'transfer-executed'],
    ['the pool dies between forwarding and sending', 'pool', 'transfer-received'],
    ['the destination dies between storing and reporting', 's1', 'transfer-received'],
  ])('R32: and arrives when %s', async (_, id, point) => {
    await command('pool', [{ destination: 's0', units: 50 }]);
    await hold({ s0: 50 });
    sale.failAt('shard-agent', id, point);
    sequence += 1;
    const value = {
      incarnation,
      source: 's0' as const,
      term: 1,
      sequence,
      legs: [{ destination: 's1' as const, units: 20 }],
    };
    await until('the process died there', async () => {
      await bus.publish('commands', [{ key: 's0', value }]);
      return Promise.race([
        agents
          .get(id)
          ?.ended()
          .then(() => true),
        new Promise<false>((r) => setTimeout(r, 50, false)),
      ]);
    });
    agents.set(id, sale.agent(id));
    await hold({ pool: 50, s0: 30, s1: 20 });
    // The chain goes on.
    await command('s0', [{ destination: 's1', units: 5 }]);
    await hold({ pool: 50, s0: 25, s1: 25 });
  });

  test('R32: and arrives though everybody is killed again and again', async () => {
    await command('pool', [
      { destination: 's0', units: 50 },
      { destination: 's1', units: 50 },
    ]);
    await hold({ pool: 0, s0: 50, s1: 50 });
    for (const victim of ['s0', 'pool', 's1', 'pool'] as const) {
      await command('s0', [{ destination: 's1', units: 3 }]);
      await command('s1', [{ destination: 's0', units: 2 }]);
      await agents.get(victim)?.kill9();
      agents.set(victim, sale.agent(victim));
    }
    await hold({ pool: 0, s0: 46, s1: 54 });
  });
});

describe('R32: with Kafka', () => {
  test('gone, the shard sells; back without its data, the stock under way arrives and the table is whole', async () => {
    await command('pool', [
      { destination: 's0', units: 40 },
      { destination: 's1', units: 40 },
    ]);
    await hold({ s0: 40, s1: 40 });
    // Executed and never sent: the pool is not there to hear it.
    await agents.get('pool')?.kill9();
    await command('s0', [{ destination: 's1', units: 15 }]);
    await servers.kafka.kill9();
    expect(await sell('s1', 10)).not.toContain('short');
    await servers.kafka.restart({ wipe: true });
    agents.set('pool', sale.agent('pool'));
    await hold({ pool: 20, s0: 25, s1: 45 });
    const { table } = await listen();
    await until('the table is whole', () => table.shard('s1')?.available === 45 && table.inFlight('s1') === 0);
    expect(table.shard('s1')?.sold).toBe(10);
  });
});

test('R33: a shard added while the sale runs joins it, with the epochs of all nodes, and gets stock', async () => {
  await servers.postgres.createDatabases([`${sale.config.name}_s2`]);
  sale.edit((config) => {
    const { host, port } = servers.postgres;
    config.shards.push({ id: 's2', host, port, database: `${sale.config.name}_s2` });
  });
  agents.set('s2', sale.agent('s2'));
  await allReady();
  expect((await sale.view()).shards).toMatchObject([{ joined: true }, { joined: true }, { id: 's2', joined: true }]);
  await command('pool', [{ destination: 's2', units: 10 }]);
  await hold({ s2: 10 });
  expect(await sell('s2', 1)).toEqual(['sold']);
});

test('an agent whose registry is away relays all the same, and a new one joins when it is back', async () => {
  await command('pool', [{ destination: 's0', units: 10 }]);
  await hold({ s0: 10 });
  await agents.get('s0')?.kill9();
  const { port } = sale.config.pool;
  sale.edit((config) => {
    config.pool.port = 1;
  });
  agents.set('s0', sale.agent('s0'));
  await sell('s0', 4);
  const { table } = await listen();
  await until('the table knows', () => table.shard('s0')?.sold === 4);
  expect(await agents.get('s0')?.ready()).toBe(false);
  sale.edit((config) => {
    config.pool.port = port;
  });
});
