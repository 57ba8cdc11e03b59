// The request and the answer by which a storefront asks the pool's agent for virtual stock when a cache node ran short:
// POST /refill, with the bearer secret `internal`. Pure.

import type { NodeId, Units } from './units.ts';

export interface RefillRequest {
  /** The node that ran short. */
  node: NodeId;
  /** The units that a buyer wants of it in one purchase. */
  quantity: Units;
}

/**
 * With `granted` the node has that much now. With `sold-out` all nodes were asked, none has enough, and nothing is
 * unbooked or unapplied (R29). With `unavailable` neither can be said.
 */
export const REFILL_OUTCOMES = ['granted', 'sold-out', 'unavailable'] as const;
export type RefillOutcome = (typeof REFILL_OUTCOMES)[number];

export interface RefillAnswer {
  outcome: RefillOutcome;
  /** The units of live tokens on all nodes of the layout. They may come back. */
  liveUnits: Units;
}

export const REFILL_PATH = '/refill';

const MOST_UNITS = 1_000_000;

/** Returns undefined when the text is not a request. */
export function parseRefill(text: string): RefillRequest | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { node, quantity } = value as Record<string, unknown>;
  if (typeof node !== 'string' || !/^c(0|[1-9]\d{0,5})$/.test(node)) return undefined;
  if (typeof quantity !== 'number' || !Number.isInteger(quantity) || quantity < 1 || quantity > MOST_UNITS)
    return undefined;
  return { node: node as NodeId, quantity };
}
