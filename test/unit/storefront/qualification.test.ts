import { describe, expect, test } from 'vitest';
import type { SaleConfig } from '../../../dataplane/protocol/config.ts';
import {
  type Attempt,
  BUYER_CHECKS,
  FIRST_CHECKS,
  qualify,
  type Rules,
} from '../../../dataplane/storefront/qualification.ts';
import { RateLimit } from '../../../dataplane/storefront/rate.ts';

const noon = Date.parse('2026-12-01T12:00:00Z');
const attempt: Attempt = { buyer: 'alice', quantity: 1, now: noon, at: 0 };
const CHAIN = [...FIRST_CHECKS, ...BUYER_CHECKS];

const rules = (
  window: SaleConfig['window'] = {},
  more: Partial<Rules> & { perBuyer?: number; maxQuantity?: number } = {},
): Rules => {
  const { perBuyer = 4, maxQuantity = 2, ...rest } = more;
  return { sale: { window, qualification: { perBuyer, maxQuantity } }, ...rest };
};
const list = (...buyers: string[]) => ({ known: true, has: (buyer: string) => buyers.includes(buyer) });
const check = (a: Partial<Attempt>, r: Rules) => qualify(CHAIN, { ...attempt, ...a }, r);

describe('R3: a buyer qualifies', () => {
  test('when nothing speaks against it', () => {
    expect(check({}, rules())).toBeUndefined();
  });

  test('from the first millisecond of the window to the last', () => {
    const window = { opensAt: noon, closesAt: noon + 1000 };
    expect(check({ now: noon - 1 }, rules(window))).toEqual({
      problem: 'not-open',
      parameters: { opensAt: '2026-12-01T12:00:00.000Z' },
      retryAfter: 0.001,
    });
    expect(check({ now: noon }, rules(window))).toBeUndefined();
    expect(check({ now: noon + 999 }, rules(window))).toBeUndefined();
    expect(check({ now: noon + 1000 }, rules(window))).toEqual({
      problem: 'closed',
      parameters: { closesAt: '2026-12-01T12:00:01.000Z' },
    });
  });

  test('for no more than one purchase or one buyer may have', () => {
    expect(check({ quantity: 2 }, rules())).toBeUndefined();
    expect(check({ quantity: 3 }, rules())).toEqual({
      problem: 'quantity-limit',
      parameters: { maxQuantity: 2, quantity: 3 },
    });
    expect(check({ quantity: 2 }, rules({}, { perBuyer: 1 }))).toMatchObject({ parameters: { maxQuantity: 1 } });
  });

  test('when on the allow list, where there is one', () => {
    expect(check({}, rules({}, { allow: list('alice') }))).toBeUndefined();
    expect(check({ buyer: 'bob' }, rules({}, { allow: list('alice') }))).toMatchObject({ problem: 'not-qualified' });
  });

  test('when not on the deny list, even if allowed', () => {
    expect(check({}, rules({}, { deny: list('bob') }))).toBeUndefined();
    expect(check({}, rules({}, { allow: list('alice'), deny: list('alice') }))).toMatchObject({
      problem: 'not-qualified',
    });
  });

  test('or may try again while a list has not been read', () => {
    const unread = { known: false, has: () => false };
    expect(check({}, rules({}, { allow: unread }))).toEqual({ problem: 'unavailable' });
    expect(check({}, rules({}, { deny: unread }))).toEqual({ problem: 'unavailable' });
  });

  test('as often as the rate limit lets them, each buyer for themselves', () => {
    const r = rules({}, { rate: new RateLimit({ perSecond: 1, burst: 2 }) });
    expect(check({}, r)).toBeUndefined();
    expect(check({}, r)).toBeUndefined();
    expect(check({}, r)).toEqual({ problem: 'rate-limited', parameters: { seconds: 1 }, retryAfter: 1 });
    expect(check({ buyer: 'bob' }, r)).toBeUndefined();
    // By a clock of its own: this machine's may be set back.
    expect(check({ now: noon - 60_000, at: 1000 }, r)).toBeUndefined();
  });

  test('R5: and who is refused for another reason pays nothing of the rate limit', () => {
    const r = rules({}, { rate: new RateLimit({ perSecond: 1, burst: 1 }) });
    for (let i = 0; i < 5; i++) expect(check({ quantity: 3 }, r)).toMatchObject({ problem: 'quantity-limit' });
    expect(check({}, r)).toBeUndefined();
  });
});
