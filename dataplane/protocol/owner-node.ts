// Computes the owner node of a buyer: the one cache node that keeps the buyer's record. It is rendezvous hashing over
// the layout's nodes c0 … c(count−1), so that a change of the count moves only the buyers it must. Every role computes
// it alike, so changing it is a protocol change. Pure.

import { type BuyerId, type NodeId, nodeId } from './units.ts';

/** FNV-1a with 32 bits over the UTF-16 code units of the text. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/** The finalizer of murmur3, after which every input bit has reached every output bit. */
function mix(x: number): number {
  let h = x;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Returns the number of the buyer's owner node among `count` ≥ 1 nodes (R4). */
export function ownerNumber(buyer: BuyerId, count: number): number {
  const seed = hash(buyer);
  let best = 0;
  let bestScore = -1;
  for (let n = 0; n < count; n++) {
    const score = mix(seed ^ mix(n + 1));
    if (score > bestScore) {
      best = n;
      bestScore = score;
    }
  }
  return best;
}

export const ownerNode = (buyer: BuyerId, count: number): NodeId => nodeId(ownerNumber(buyer, count));
