// Plans the moves of virtual stock: from which node to take how much, and where to. Pure.

import type { NodeId, Units } from '../../protocol/units.ts';

export interface Holding {
  node: NodeId;
  virtual: Units;
}

export interface Move {
  from: NodeId;
  to: NodeId;
  units: Units;
}

/** Below this mean no node is refilled ahead of need: at the end of a sale that would only push units to and fro. */
const WORTHWHILE: Units = 10;
/** A node runs low below this part of the mean. */
const LOW = 0.25;

const byVirtual = (a: Holding, b: Holding): number => b.virtual - a.virtual;

/**
 * Plans refills ahead of need: every node that runs low is brought to the mean by those above it. After the moves no
 * node runs low, so asking again plans nothing.
 */
export function planRefills(holdings: readonly Holding[]): Move[] {
  const mean = Math.floor(holdings.reduce((sum, { virtual }) => sum + virtual, 0) / Math.max(1, holdings.length));
  if (mean < WORTHWHILE) return [];
  const low = holdings.filter(({ virtual }) => virtual < LOW * mean);
  const spare = holdings
    .filter(({ virtual }) => virtual > mean)
    .sort(byVirtual)
    .map(({ node, virtual }) => ({ node, units: virtual - mean }));
  const moves: Move[] = [];
  for (const { node, virtual } of low) {
    let needed = mean - virtual;
    for (const donor of spare) {
      const units = Math.min(needed, donor.units);
      if (units === 0) continue;
      donor.units -= units;
      needed -= units;
      moves.push({ from: donor.node, to: node, units });
    }
  }
  return moves;
}

/**
 * Plans what to take back for a lowered supply: `excess` units in all, or everything, richest first, down to one level,
 * so that no node is emptied while another one is full.
 */
export function planWithdrawal(holdings: readonly Holding[], excess: Units): { node: NodeId; units: Units }[] {
  const sorted = holdings.filter(({ virtual }) => virtual > 0).sort(byVirtual);
  let left = Math.min(
    excess,
    sorted.reduce((sum, { virtual }) => sum + virtual, 0),
  );
  const takes = sorted.map(() => 0);
  // Level by level: the first i + 1 nodes are lowered together to the next one's level.
  for (let i = 0; i < sorted.length && left > 0; i++) {
    const level = (sorted[i]?.virtual ?? 0) - (takes[i] ?? 0);
    const step = Math.min(left, (level - (sorted[i + 1]?.virtual ?? 0)) * (i + 1));
    for (let j = 0; j <= i; j++) {
      const share = Math.floor(step / (i + 1)) + (j < step % (i + 1) ? 1 : 0);
      takes[j] = (takes[j] ?? 0) + share;
    }
    left -= step;
  }
  return sorted.map(({ node }, i) => ({ node, units: takes[i] ?? 0 })).filter(({ units }) => units > 0);
}

/** Returns how much a donor gives at once on demand: enough that a node which sells fast asks seldom. */
export const donation = (virtual: Units, needed: Units): Units =>
  Math.min(virtual, Math.max(Math.ceil(virtual / 2), needed));
