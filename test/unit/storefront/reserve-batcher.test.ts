import { beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../dataplane/runtime/clock.ts';
import { ReserveBatcher } from '../../../dataplane/storefront/reserve-batcher.ts';
import type { ReserveRequest, ReserveTerms } from '../../../dataplane/stores/cache-node/cache-node.ts';
import { StoreUnknown } from '../../../dataplane/stores/errors.ts';
import { INCARNATION, MemoryNode } from './memory-stores.ts';

const TERMS: ReserveTerms = {
  incarnation: INCARNATION,
  epoch: 1,
  layout: 1,
  ttl: 60_000,
  perBuyer: 2,
  mostLapsed: 3,
  cooldown: 600_000,
};
const request = (n: number, buyer = `b${n}`): ReserveRequest => ({
  id: `token-${n}`,
  buyer,
  quantity: 1,
  shard: 's0',
});

let node: MemoryNode;
let reservations: ReserveBatcher;
beforeEach(() => {
  node = new MemoryNode('c0', 1, 1000);
  reservations = new ReserveBatcher(node, systemClock);
});
const many = (count: number, terms = TERMS) =>
  Array.from({ length: count }, (_, n) => reservations.reserve(terms, request(n)));

/** Holds the node's answers back; call what is answered to let it go on. */
function hold(): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  node.gate = promise;
  return resolve;
}

describe('R4: purchases at one node', () => {
  test('of one turn of the event loop travel in one call, and each gets its own answer', async () => {
    const replies = await Promise.all(many(50));
    expect(node.calls).toBe(1);
    expect(replies.map((r) => r.kind === 'token' && [r.fresh, r.token.buyer, r.token.sequence])).toEqual(
      Array.from({ length: 50 }, (_, n) => [true, `b${n}`, n + 1]),
    );
  });

  test('gather while a call is under way, at most 256 for one call', async () => {
    const go = hold();
    const first = many(1);
    await expect.poll(() => node.calls).toBe(1);
    const rest = many(300);
    await new Promise((resolve) => setImmediate(resolve));
    expect(node.calls).toBe(1);
    go();
    await Promise.all([...first, ...rest]);
    expect(node.calls).toBe(3);
  });

  test('R27: of one buyer in the same call take one unit', async () => {
    const replies = await Promise.all([1, 2, 3].map((n) => reservations.reserve(TERMS, request(n, 'eager'))));
    expect(node.calls).toBe(1);
    expect(new Set(replies.map((r) => r.kind === 'token' && r.token.id))).toEqual(new Set(['token-1']));
    expect(node.virtual).toBe(999);
  });

  test('under other terms travel apart: what one is refused for says nothing of the other', async () => {
    const replies = await Promise.all([...many(2), ...many(2, { ...TERMS, epoch: 0 })]);
    expect(replies.map(({ kind }) => kind)).toEqual(['token', 'token', 'stale', 'stale']);
    expect(node.calls).toBe(2);
  });

  test('R34: are unknown, all of them, when the call’s answer is lost; asked again, each finds its token', async () => {
    node.losesAnswers = 1;
    const lost = await Promise.allSettled(many(20));
    expect(lost.every((r) => r.status === 'rejected' && r.reason instanceof StoreUnknown)).toBe(true);
    const again = await Promise.all(many(20));
    expect(again.every((r) => r.kind === 'token' && !r.fresh)).toBe(true);
    expect(node.virtual).toBe(980);
  });
});
