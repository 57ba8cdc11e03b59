import { describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../../dataplane/runtime/clock.ts';
import {
  CHECKOUT_BATCHER,
  CheckoutBatcher,
  type CheckoutBatcherHooks,
  type CheckoutBatcherOptions,
} from '../../../dataplane/storefront/checkout-batcher.ts';
import type { CheckoutRow } from '../../../dataplane/stores/shard/shard.ts';
import { INCARNATION, MemoryShard } from './memory-stores.ts';

const row = (n: number, quantity = 1): CheckoutRow => ({
  token: `token-${n}`,
  buyer: `buyer-${n}`,
  quantity,
  node: 'c0',
  epoch: 1,
  sequence: n + 1,
});

function batcherOf(
  shard: MemoryShard,
  options: Partial<CheckoutBatcherOptions> = {},
  hooks: Partial<CheckoutBatcherHooks> = {},
) {
  return new CheckoutBatcher(
    shard,
    {
      paymentDeadline: () => undefined,
      committed: () => undefined,
      batch: () => undefined,
      resent: () => undefined,
      failed: () => undefined,
      clock: systemClock,
      ...hooks,
    },
    { ...CHECKOUT_BATCHER, shortRetryEvery: 10, shortWait: 100, giveUpAfter: 400, resendAfter: 5, ...options },
  );
}

const outcomes = async (answers: Promise<{ outcome: string }>[]) =>
  (await Promise.all(answers)).map(({ outcome }) => outcome);

describe('a shard’s checkout batcher', () => {
  test('sends what arrives together in one batch, and what arrives meanwhile in the next', async () => {
    const shard = new MemoryShard(100);
    const first = Promise.withResolvers<void>();
    shard.gate = first.promise;
    const batcher = batcherOf(shard, { most: 3 });
    const answers = [0, 1].map((n) => batcher.submit(INCARNATION, row(n)));
    await expect.poll(() => shard.batches.length).toBe(1);
    answers.push(...[2, 3, 4, 5].map((n) => batcher.submit(INCARNATION, row(n))));
    expect(batcher.waiting).toBe(4);
    first.resolve();
    expect(await outcomes(answers)).toEqual(new Array(6).fill('sold'));
    expect(shard.batches.map((batch) => batch.map(({ sequence }) => sequence - 1))).toEqual([[0, 1], [2, 3, 4], [5]]);
  });

  test('has its next batch on the way before the buyers of the last one are answered', async () => {
    const shard = new MemoryShard(100);
    const batcher = batcherOf(shard, { most: 1 });
    const answers = [0, 1].map((n) => batcher.submit(INCARNATION, row(n)));
    await answers[0];
    expect(shard.batches.length).toBe(2);
    await answers[1];
  });

  test('gives each row its own outcome', async () => {
    const shard = new MemoryShard(2);
    shard.orders.set('token-1', { token: 'token-1', buyer: 'buyer-1', quantity: 1, status: 'paid' });
    shard.orders.set('token-2', { token: 'token-2', buyer: 'buyer-2', quantity: 1, status: 'cancelled' });
    const batcher = batcherOf(shard, { shortWait: 0 });
    shard.lowWatermark = 1;
    const rows = [row(0), row(1), row(2), row(3, 2), row(4)];
    expect(await outcomes(rows.map((r) => batcher.submit(INCARNATION, r)))).toEqual([
      'expired',
      'known',
      'cancelled',
      'sold',
      'short',
    ]);
  });

  test('R34: sends the same rows again when the answer was lost, and sells once', async () => {
    const shard = new MemoryShard(100);
    shard.losesAnswers = 2;
    const resent = vi.fn();
    const failed = vi.fn();
    const batcher = batcherOf(shard, {}, { resent, failed });
    expect(await outcomes([0, 1, 2].map((n) => batcher.submit(INCARNATION, row(n))))).toEqual([
      'known',
      'known',
      'known',
    ]);
    expect(shard.available).toBe(97);
    expect(resent).toHaveBeenCalledTimes(2);
    expect(failed).toHaveBeenCalledTimes(2);
  });

  test('R34: answers unknown, never a guess, when the shard stays away too long', async () => {
    const shard = new MemoryShard(100);
    shard.away = true;
    const batcher = batcherOf(shard, { giveUpAfter: 50 });
    expect(await outcomes([batcher.submit(INCARNATION, row(0))])).toEqual(['unknown']);
    shard.away = false;
    expect(await outcomes([batcher.submit(INCARNATION, row(0))])).toEqual(['sold']);
  });

  test('R29: waits for stock that is on its way, asking again', async () => {
    const shard = new MemoryShard(0);
    const batcher = batcherOf(shard, { shortWait: 5000 });
    const answer = batcher.submit(INCARNATION, row(0));
    await expect.poll(() => shard.batches.length).toBeGreaterThan(2);
    shard.available = 1;
    expect((await answer).outcome).toBe('sold');
  });

  test('R29: asks at once when the shard is heard to have enough, not when it has too little', async () => {
    const shard = new MemoryShard(0);
    const batcher = batcherOf(shard, { shortWait: 60_000, shortRetryEvery: 30_000, giveUpAfter: 60_000 });
    const answer = batcher.submit(INCARNATION, row(0, 3));
    await expect.poll(() => [shard.batches.length, batcher.waiting]).toEqual([1, 1]);
    batcher.stocked(2);
    expect(batcher.waiting).toBe(1);
    expect(shard.batches.length).toBe(1);
    shard.available = 3;
    batcher.stocked(3);
    expect((await answer).outcome).toBe('sold');
    expect(shard.batches.length).toBe(2);
  });

  test('R29: says short when none came in time', async () => {
    const shard = new MemoryShard(0);
    expect((await batcherOf(shard).submit(INCARNATION, row(0))).outcome).toBe('short');
    expect(shard.batches.length).toBeGreaterThan(2);
  });

  test('does not hold others up while some wait for stock', async () => {
    const shard = new MemoryShard(1);
    const batcher = batcherOf(shard, { shortWait: 60_000, shortRetryEvery: 30_000, giveUpAfter: 60_000 });
    const large = batcher.submit(INCARNATION, row(0, 2));
    expect((await batcher.submit(INCARNATION, row(1))).outcome).toBe('sold');
    shard.available = 2;
    batcher.stocked(2);
    expect((await large).outcome).toBe('sold');
  });

  test('has no order for another sale’s token: expired, without holding up this sale’s', async () => {
    const shard = new MemoryShard(5);
    const batcher = batcherOf(shard);
    const answers = [
      batcher.submit('another', row(0)),
      batcher.submit(INCARNATION, row(1)),
      batcher.submit('another', row(2)),
    ];
    expect(await outcomes(answers)).toEqual(['expired', 'sold', 'expired']);
    expect(shard.available).toBe(4);
  });

  test('refuses to queue without bound', async () => {
    const shard = new MemoryShard(5);
    const first = Promise.withResolvers<void>();
    shard.gate = first.promise;
    const batcher = batcherOf(shard, { mostQueued: 2 });
    const answers = [0, 1, 2].map((n) => batcher.submit(INCARNATION, row(n)));
    expect((await answers[2])?.outcome).toBe('unknown');
    first.resolve();
    expect(await outcomes(answers.slice(0, 2))).toEqual(['sold', 'sold']);
  });

  test('tells when orders are committed before anybody is answered, with the deadline they were sent with', async () => {
    const shard = new MemoryShard(5);
    const told: string[] = [];
    const batcher = batcherOf(shard, {}, { paymentDeadline: () => 60_000, committed: () => told.push('committed') });
    const answer = batcher.submit(INCARNATION, row(0));
    void answer.then(() => told.push('answered'));
    expect(await answer).toEqual({ outcome: 'sold', paymentDeadline: 60_000 });
    expect(told).toEqual(['committed', 'answered']);
  });
});
