// The model of the bus promises what test/integration/bus shows of Kafka, and no more.

import { beforeEach, describe, expect, test } from 'vitest';
import type { Command, Level } from '../../../dataplane/protocol/messages.ts';
import type { OrderCloudEvent } from '../../../dataplane/protocol/order-event.ts';
import type { Bus } from '../../../dataplane/runtime/bus.ts';
import { BusModel } from '../../models/bus.ts';

const command = (sequence: number): Command => ({ incarnation: 'i', source: 's0', term: 1, sequence, legs: [] });
const level = (node: 'c0' | 'c1', sequence: number) =>
  ({ incarnation: 'i', node, epoch: 1, sequence }) as unknown as Level;

/** What is to run later, by when. */
let later: { at: number; run: () => void }[];
let drawn: number[];
let model: BusModel;
let bus: Bus;
beforeEach(() => {
  later = [];
  drawn = [];
  model = new BusModel({
    after: (delay, run) => later.push({ at: delay, run }),
    random: () => drawn.shift() ?? 0.5,
  });
  bus = model.connect();
});

/** Everything under way arrives, and its handlers end. */
async function arrive(): Promise<void> {
  for (const { run } of later.splice(0).sort((a, b) => a.at - b.at)) run();
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

async function reader(beginning: boolean, on: Bus = bus): Promise<number[]> {
  const heard: number[] = [];
  await on.subscribe(['commands', 'levels'], { beginning }, (_, { sequence }) => {
    heard.push(sequence);
  });
  return heard;
}
const say = (sequence: number) => bus.publish('commands', [{ key: 's0', value: command(sequence) }]);
const sayLevel = (node: 'c0' | 'c1', sequence: number) =>
  bus.publish('levels', [{ key: node, value: level(node, sequence) }]);

describe('while the broker is there', () => {
  test('a reader from now on hears what is said, and nothing from before', async () => {
    await say(1);
    await arrive();
    const heard = await reader(false);
    expect(await say(2)).toBe(true);
    await arrive();
    expect(heard).toEqual([2]);
  });

  test('R13: a reader from the beginning finds the last message of each key, and all of what is not compacted', async () => {
    await sayLevel('c0', 1);
    await sayLevel('c1', 5);
    await sayLevel('c0', 2);
    await say(7);
    await say(8);
    const heard = await reader(true, model.connect());
    await arrive();
    expect(heard.sort()).toEqual([2, 5, 7, 8]);
  });

  test('handlers of one topic run one after another, and one that rejects stops nothing', async () => {
    const begun: number[] = [];
    let finish = () => {};
    await bus.subscribe(['commands'], { beginning: false }, async (_, { sequence }) => {
      begun.push(sequence);
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      if (sequence === 1) throw new Error('the database is away');
    });
    await say(1);
    await say(2);
    await arrive();
    expect(begun).toEqual([1]);
    finish();
    await arrive();
    expect(begun).toEqual([1, 2]);
  });

  test('messages are lost, repeated, and overtaken by others', async () => {
    const heard = await reader(false);
    model.faults.lost = 0.5;
    drawn = [0.6, 0.4];
    await say(1);
    model.faults.lost = 0;
    model.faults.repeated = 0.5;
    drawn = [0.4];
    await say(2);
    model.faults.repeated = 0;
    model.faults.delayed = 0.5;
    drawn = [0.4, 0.9, 0.6];
    await say(3);
    await say(4);
    await arrive();
    expect(heard).toEqual([2, 2, 4, 3]);
  });

  test('what was not confirmed may be there or not, and a confirmed event of an order is', async () => {
    const heard: string[] = [];
    await bus.subscribe(['commands', 'orders'], { beginning: false }, (topic) => {
      heard.push(topic);
    });
    model.faults.lost = 0.5;
    drawn = [0.4, 0.6];
    expect(await say(1)).toBe(false);
    drawn = [0.4, 0.4];
    expect(await say(2)).toBe(false);
    drawn = [0.6, 0.4];
    expect(await bus.publish('orders', [{ key: 's0', value: {} as OrderCloudEvent }])).toBe(true);
    await arrive();
    expect(heard.sort()).toEqual(['commands', 'orders']);
  });

  test('R13: a reader from the beginning may find earlier messages of a key, too', async () => {
    await sayLevel('c0', 1);
    model.faults.stale = 0.5;
    drawn = [0.4];
    await sayLevel('c0', 2);
    const heard = await reader(true, model.connect());
    await arrive();
    expect(heard.sort()).toEqual([1, 2]);
  });

  test('a reader from now on may begin late, and misses what is said meanwhile', async () => {
    model.faults.delayed = 0.5;
    drawn = [0.4];
    const heard = await reader(false);
    model.faults.delayed = 0;
    await say(1);
    await arrive();
    await say(2);
    await arrive();
    expect(heard).toEqual([2]);
  });

  test('a process that died hears nothing any more, not even what was on its way', async () => {
    const connection = model.connect();
    const heard = await reader(false, connection);
    await say(1);
    connection.kill();
    await arrive();
    expect(heard).toEqual([]);
  });
});

describe('while the broker is away', () => {
  test('publishing says no, nothing arrives, and readers from the beginning start anew when it is back', async () => {
    const fromNow = await reader(false);
    const fromBeginning = await reader(true, model.connect());
    await sayLevel('c0', 1);
    model.up = false;
    expect(await say(2)).toBe(false);
    await arrive();
    expect([fromNow, fromBeginning]).toEqual([[], []]);
    model.up = true;
    await arrive();
    expect([fromNow, fromBeginning]).toEqual([[], [1]]);
  });

  test('back without its data: what was said is forgotten, and its readers go on', async () => {
    const heard = await reader(true);
    await sayLevel('c0', 1);
    model.wipe();
    await sayLevel('c1', 2);
    const newcomer = await reader(true, model.connect());
    await arrive();
    expect([heard, newcomer]).toEqual([[2], [2]]);
  });
});
