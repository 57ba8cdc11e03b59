// Makes the answer of GET /sale: what anybody may know about the sale. It is coarse on purpose: exact stock would be
// stale when read, and is the merchant's business. Pure.

import type { SaleConfig } from '../protocol/config.ts';
import type { Millis, Units } from '../protocol/units.ts';

export const PHASES = ['scheduled', 'open', 'paused', 'sold-out', 'closed'] as const;
export const AVAILABILITIES = ['plenty', 'few', 'none', 'unknown'] as const;

export interface SaleState {
  sku: string;
  phase: (typeof PHASES)[number];
  opensAt?: string;
  closesAt?: string;
  /** A hint how many units nobody has reserved: more than a tenth of the stock, fewer, or none. */
  availability: (typeof AVAILABILITIES)[number];
  perBuyer: Units;
  maxQuantity: Units;
  tokenTtlMs: Millis;
  /** How long buyers have to pay. It is absent where an order is final at checkout. */
  paymentDeadlineMs?: Millis;
}

export interface Known {
  now: Millis;
  paused: boolean;
  soldOut: boolean;
  /** The virtual stock of all cache nodes; undefined when it is not known. */
  virtual: Units | undefined;
}

export function saleState(sale: SaleConfig, known: Known): SaleState {
  const { opensAt, closesAt } = sale.window;
  const { perBuyer, maxQuantity } = sale.qualification;
  const { paymentDeadline } = sale.orders;
  return {
    sku: sale.sku,
    phase: phaseOf(sale, known),
    ...(opensAt === undefined ? {} : { opensAt: new Date(opensAt).toISOString() }),
    ...(closesAt === undefined ? {} : { closesAt: new Date(closesAt).toISOString() }),
    availability: availabilityOf(sale, known),
    perBuyer,
    maxQuantity,
    tokenTtlMs: sale.token.ttl,
    ...(paymentDeadline === undefined ? {} : { paymentDeadlineMs: paymentDeadline }),
  };
}

function phaseOf({ window: { opensAt, closesAt } }: SaleConfig, { now, paused, soldOut }: Known): SaleState['phase'] {
  if (closesAt !== undefined && now >= closesAt) return 'closed';
  if (opensAt !== undefined && now < opensAt) return 'scheduled';
  if (paused) return 'paused';
  return soldOut ? 'sold-out' : 'open';
}

function availabilityOf({ stock }: SaleConfig, { soldOut, virtual }: Known): SaleState['availability'] {
  if (soldOut) return 'none';
  if (virtual === undefined) return 'unknown';
  if (virtual === 0) return 'none';
  return virtual * 10 > stock ? 'plenty' : 'few';
}
