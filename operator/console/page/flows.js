// Transfers from lifetime totals: what a pair of shards moved more than at the last look has moved meanwhile. Pure.

/** @import { Flow } from '../source.ts' */

/** @param {Flow} flow */
const pair = ({ from, to }) => `${from} ${to}`;

/** @param {readonly Flow[]} before @param {readonly Flow[]} now @returns {Flow[]} */
export function movedBetween(before, now) {
  const known = new Map(before.map((flow) => [pair(flow), flow.units]));
  return now
    .map((flow) => ({ ...flow, units: flow.units - (known.get(pair(flow)) ?? 0) }))
    .filter(({ units }) => units > 0)
    .sort((a, b) => b.units - a.units);
}

/** @param {readonly Flow[]} flows */
export const total = (flows) => flows.reduce((sum, { units }) => sum + units, 0);

/** The pool, then the shards by number. @param {Iterable<string>} peers */
export const inOrder = (peers) => [...new Set(peers)].sort((a, b) => place(a) - place(b));

/** @param {string} peer */
const place = (peer) => (peer === 'pool' ? -1 : Number(peer.slice(1)));
