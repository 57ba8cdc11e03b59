import { describe, expect, it } from 'vitest';
import { visit } from '../../../operator/load/buyer.ts';
import { type Buyer, type LoadOptions, planBuyers } from '../../../operator/load/plan.ts';
import type { Answer } from '../../../operator/load/shop.ts';
import { Tally } from '../../../operator/load/tally.ts';

const options: LoadOptions = {
  buyers: 20_000,
  rate: 1000,
  maxQuantity: 4,
  duplicates: 0.1,
  abandon: 0.2,
  cancel: 0,
  forged: 0,
  foreign: 0,
  comeBack: false,
  think: 100,
  seed: 7,
  prefix: 'b',
};

describe('a planned crowd', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(planBuyers(options)).toEqual(planBuyers(options));
    expect(planBuyers({ ...options, seed: 8 })).not.toEqual(planBuyers(options));
  });

  it('arrives at the asked rate and misbehaves as often as asked', () => {
    const buyers = planBuyers(options);
    const share = (of: (b: Buyer) => boolean) => buyers.filter(of).length / buyers.length;
    expect((buyers.at(-1)?.arrival ?? 0) / 1000).toBeCloseTo(20, 0);
    expect(share((b) => b.duplicate)).toBeCloseTo(0.1, 1);
    expect(share((b) => b.abandon)).toBeCloseTo(0.2, 1);
    expect(new Set(buyers.map((b) => b.quantity))).toEqual(new Set([1, 2, 3, 4]));
    expect(new Set(buyers.map((b) => b.name)).size).toBe(buyers.length);
  });
});

const buyer: Buyer = {
  name: 'ann',
  arrival: 0,
  quantity: 1,
  think: 0,
  duplicate: false,
  abandon: false,
  cancel: false,
  forged: false,
  foreign: false,
};
const ok = (status: number, body: Record<string, unknown>): Answer => ({
  status,
  body,
  problem: undefined,
  retryAfter: undefined,
});
const no = (problem: string, retryAfter?: number): Answer => ({ status: 409, body: {}, problem, retryAfter });

async function run(
  patch: Partial<Buyer>,
  answers: Record<string, Answer[]>,
  maxWait = 1e9,
): Promise<{ tally: Tally; asked: string[] }> {
  const tally = new Tally();
  const asked: string[] = [];
  const shop = {
    post: async (path: string, name: string): Promise<Answer> => {
      asked.push(`${name} ${path}`);
      const next = answers[path]?.shift();
      if (!next) throw Object.assign(new Error('gone'), { code: 'ECONNRESET' });
      return next;
    },
    close: async () => undefined,
  };
  let clock = 0;
  await visit(
    { ...buyer, ...patch },
    {
      shop,
      tally,
      comeBack: false,
      until: () => (clock > maxWait ? 0 : Number.POSITIVE_INFINITY),
      pause: async (ms) => {
        clock += ms;
      },
      random: () => 0,
    },
  );
  return { tally, asked };
}
const token = (text = 'T') => ok(201, { token: text, expiresInMs: 5000 });
const order = ok(201, { order: 's0-x', quantity: 1 });

describe('a buyer', () => {
  it('purchases and checks out', async () => {
    const { tally } = await run({}, { '/purchase': [token()], '/checkout': [order] });
    expect(tally).toMatchObject({ tokens: 1, orders: 1, sold: 1, soldOut: 0, errorCount: 0, left: 1 });
  });

  it('R29: waits while "sold out" carries Retry-After, and takes it as final without', async () => {
    const { tally } = await run({}, { '/purchase': [no('sold-out', 2000), no('sold-out')] });
    expect(tally).toMatchObject({ soldOut: 1, retries: 1, errorCount: 0 });
  });

  it('R34: asks again when an answer is lost', async () => {
    const answers = { '/purchase': [token()], '/checkout': [no('unavailable'), order] };
    expect((await run({}, answers)).tally).toMatchObject({ orders: 1, retries: 1 });
  });

  it('purchases again when its token expired', async () => {
    const answers = { '/purchase': [token('A'), token('B')], '/checkout': [no('token-expired'), order] };
    expect((await run({}, answers)).tally).toMatchObject({ orders: 1, tokens: 2 });
  });

  it('counts a second click when it is answered, however long the first one waits for units', async () => {
    const wait = Promise.withResolvers<void>();
    const tally = new Tally();
    let clicks = 0;
    const visiting = visit(
      { ...buyer, duplicate: true },
      {
        shop: {
          post: async () => (clicks++ < 2 ? no('sold-out', 1000) : no('sold-out')),
          close: async () => undefined,
        },
        tally,
        comeBack: false,
        until: () => Number.POSITIVE_INFINITY,
        pause: () => wait.promise,
        random: () => 0,
      },
    );
    await new Promise((resolve) => setImmediate(resolve));
    expect(tally.purchases).toBe(2);
    wait.resolve();
    await visiting;
    expect(tally).toMatchObject({ purchases: 3, soldOut: 1, errorCount: 0 });
  });

  it('R27: reports a duplicate click that got another token', async () => {
    const { tally } = await run({ duplicate: true }, { '/purchase': [token('A'), token('B')], '/checkout': [order] });
    expect(tally.errorCount).toBe(1);
  });

  it('R27: does not report one that was answered after the first token had lapsed', async () => {
    const lapsed = (text: string) => ok(201, { token: text, expiresInMs: 0 });
    const answers = { '/purchase': [lapsed('A'), lapsed('B')], '/checkout': [order] };
    expect((await run({ duplicate: true }, answers)).tally.errorCount).toBe(0);
  });

  it('R27: does not report one that had to be repeated, maybe at a node that lost its data meanwhile', async () => {
    const answers = { '/purchase': [token('A'), no('unavailable', 1), token('B')], '/checkout': [order] };
    expect((await run({ duplicate: true }, answers)).tally.errorCount).toBe(0);
  });

  it('checks out the token of a second click when the first was told sold out before units came back', async () => {
    const answers = { '/purchase': [token('A'), no('sold-out')], '/checkout': [order] };
    const { tally, asked } = await run({ duplicate: true }, answers);
    expect(asked).toContain('ann /checkout');
    expect(tally).toMatchObject({ sold: 1, soldOut: 0, duplicates: 1, errorCount: 0 });
  });

  it('reports a forged token that was accepted', async () => {
    const { tally } = await run({ forged: true }, { '/purchase': [token('AAAAAAAA')], '/checkout': [order, order] });
    expect([...tally.errors.keys()]).toEqual(['expected token-invalid, got 201']);
  });

  it('counts a valid token that is refused until maxWait ends as a false sold-out', async () => {
    const { tally } = await run(
      {},
      { '/purchase': [token()], '/checkout': [no('shortage', 10), no('shortage', 10)] },
      15,
    );
    expect(tally.falseSoldOuts()).toBe(1);
  });
});

describe('false sold-outs', () => {
  const later = () => new Promise((resolve) => setTimeout(resolve, 2));

  it('R29: are final refusals given before somebody asked who bought', async () => {
    const tally = new Tally();
    tally.finallySoldOut(1);
    await later();
    tally.sale(1, tally.now());
    tally.finallySoldOut(1);
    expect(tally.falseSoldOuts()).toBe(1);
  });

  it('R29: are not refusals of more units than all who asked later bought', async () => {
    const tally = new Tally();
    tally.finallySoldOut(4);
    tally.finallySoldOut(3);
    await later();
    tally.sale(2, tally.now());
    tally.sale(1, tally.now());
    tally.finallySoldOut(1);
    expect(tally.falseSoldOuts()).toBe(1);
  });

  it('R29: do not count a unit again for each token that lapses', async () => {
    const lapsing = { ...token('A'), body: { token: 'A', expiresInMs: 0 } };
    const tally = new Tally();
    tally.finallySoldOut(2);
    await later();
    const shop = { post: async () => lapsing, close: async () => undefined };
    const visited = { shop, tally, comeBack: false, until: () => 0, pause: async () => undefined, random: () => 0 };
    for (const name of ['ann', 'bob', 'cid']) await visit({ ...buyer, name, abandon: true }, visited);
    tally.sale(1, tally.now());
    expect(tally).toMatchObject({ tokens: 3, sold: 1 });
    expect(tally.falseSoldOuts()).toBe(0);
  });
});
