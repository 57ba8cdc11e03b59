import { describe, expect, test } from 'vitest';
import { type Known, saleState } from '../../../dataplane/storefront/sale-state.ts';
import { saleConfig } from './shop.ts';

const now = Date.parse('2026-12-01T12:00:00Z');
const sale = { ...saleConfig(1, 1), window: { opensAt: now - 1000, closesAt: now + 1000 } };
const known: Known = { now, paused: false, soldOut: false, virtual: 100 };
const state = (change: Partial<Known> = {}, of = sale) => saleState(of, { ...known, ...change });

describe('the public state of a sale', () => {
  test('says what, when and how many', () => {
    expect(state()).toEqual({
      sku: 'PHONE "17"',
      phase: 'open',
      opensAt: '2026-12-01T11:59:59.000Z',
      closesAt: '2026-12-01T12:00:01.000Z',
      availability: 'plenty',
      perBuyer: 4,
      maxQuantity: 3,
      tokenTtlMs: 60_000,
      paymentDeadlineMs: 900_000,
    });
    const { opensAt: _, closesAt: __, ...open } = state({}, { ...sale, window: {} } as typeof sale);
    expect(open.phase).toBe('open');
  });

  test.each([
    [{ now: now - 1001 }, 'scheduled'],
    [{ now: now + 1000 }, 'closed'],
    [{ paused: true }, 'paused'],
    [{ soldOut: true }, 'sold-out'],
    [{ soldOut: true, now: now + 1000 }, 'closed'],
    [{ virtual: undefined }, 'open'],
    [{ virtual: 0 }, 'open'],
  ] as [Partial<Known>, string][])('%j: the sale is %s', (change, phase) => {
    expect(state(change).phase).toBe(phase);
  });

  test('R29: says sold out only when that was answered, not for want of news', () => {
    expect(state({ virtual: 0 }).phase).not.toBe('sold-out');
    expect(state({ virtual: undefined }).availability).toBe('unknown');
  });

  test.each([
    [{ virtual: 11 }, 'plenty'],
    [{ virtual: 10 }, 'few'],
    [{ virtual: 1 }, 'few'],
    [{ virtual: 0 }, 'none'],
    [{ soldOut: true }, 'none'],
  ] as [Partial<Known>, string][])('%j of 100 is %s', (change, availability) => {
    expect(state(change).availability).toBe(availability);
  });
});
