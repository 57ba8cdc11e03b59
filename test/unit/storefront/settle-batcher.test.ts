import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../dataplane/runtime/clock.ts';
import { SettleBatcher } from '../../../dataplane/storefront/settle-batcher.ts';
import { TokenReadBatcher } from '../../../dataplane/storefront/token-read-batcher.ts';
import { MemoryNode } from './memory-stores.ts';

const token = (n: number) => ({ sequence: n, id: `id-${n}`, buyer: `buyer-${n}` });

function settler() {
  const counts = { settled: 0, dropped: 0 };
  const made = new SettleBatcher({
    settled: (tokens) => {
      counts.settled += tokens;
    },
    dropped: (tokens) => {
      counts.dropped += tokens;
    },
    clock: systemClock,
  });
  return { settler: made, counts };
}

describe('settling', () => {
  test('R6: tells a node its orders, many at a time, those of another epoch apart', async () => {
    const node = new MemoryNode('c0', 1, 0);
    const calls: [number, number][] = [];
    const settle = node.settle.bind(node);
    node.settle = (expected: { epoch: number }, tokens) => {
      calls.push([expected.epoch, tokens.length]);
      return settle(expected, tokens);
    };
    const { settler: s, counts } = settler();
    for (let n = 0; n < 5; n++) s.push(node, { incarnation: 'a', epoch: 1 }, token(n));
    s.push(node, { incarnation: 'a', epoch: 2 }, token(5));
    await s.drained();
    expect(calls).toEqual([
      [1, 5],
      [2, 1],
    ]);
    expect(node.settles).toEqual([0, 1, 2, 3, 4, 5].map(token));
    expect(counts).toEqual({ settled: 6, dropped: 0 });
  });

  test('R28: leaves to expiry what a node did not answer, and goes on with the next', async () => {
    const node = new MemoryNode('c0', 1, 0);
    const { settler: s, counts } = settler();
    node.away = true;
    s.push(node, { incarnation: 'a', epoch: 1 }, token(1));
    await s.drained();
    node.away = false;
    s.push(node, { incarnation: 'a', epoch: 1 }, token(2));
    await s.drained();
    expect(counts).toEqual({ settled: 1, dropped: 1 });
    expect(node.settles).toEqual([token(2)]);
  });
});

describe('looking tokens up', () => {
  test('is one command for all who ask at the same time', async () => {
    const node = new MemoryNode('c0', 1, 5);
    const lookup = new TokenReadBatcher(node, systemClock);
    node.tokenOf.set('bob', { ...token(1), buyer: 'bob', quantity: 1, shard: 's0', due: 0, state: 'live' });
    const found = await Promise.all(['alice', 'bob', 'carol'].map((buyer) => lookup.token(buyer)));
    expect(found.map((t) => t?.buyer)).toEqual([undefined, 'bob', undefined]);
    expect(node.lookups).toEqual([['alice', 'bob', 'carol']]);
  });

  test('fails for those who asked when the node does not answer, and not for the next', async () => {
    const node = new MemoryNode('c0', 1, 5);
    const lookup = new TokenReadBatcher(node, systemClock);
    node.away = true;
    await expect(lookup.token('alice')).rejects.toThrow('away');
    node.away = false;
    expect(await lookup.token('alice')).toBeUndefined();
  });
});
