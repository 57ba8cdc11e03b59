// Refills a node on demand: looks at all nodes, classifies what it sees, gathers units, and looks again. Everything
// that moves virtual stock shares one mutex with it, so that no unit is on its way while "sold out" is being said.

import type { RefillAnswer, RefillOutcome, RefillRequest } from '../../protocol/refill.ts';
import type { Units } from '../../protocol/units.ts';
import type { Mutex } from '../../runtime/mutex.ts';
import { type Classification, classify, liveUnits } from './classify.ts';
import { donation } from './moves.ts';
import type { Nodes } from './nodes.ts';
import { isStaying, type Look } from './reading.ts';
import type { VirtualStock } from './virtual-stock.ts';

export type Refill = (request: RefillRequest) => Promise<RefillAnswer>;

/**
 * How often one refill looks. Donors sell while they are asked; after so many looks the buyer is told to come again.
 */
const LOOKS = 5;

/**
 * Makes the function that refills. It rejects when the registry or a node fails while stock moves: nothing is lost, and
 * nothing can be said.
 */
export function refiller(nodes: Nodes, stock: VirtualStock, mutex: Mutex, moved: (units: Units) => void): Refill {
  const flights = new Map<string, Promise<RefillAnswer>>();

  async function refill(request: RefillRequest): Promise<RefillAnswer> {
    let found: Look | undefined;
    const answer = (outcome: RefillOutcome): RefillAnswer => ({ outcome, liveUnits: found ? liveUnits(found) : 0 });
    for (let i = 0; i < LOOKS; i++) {
      const look = await nodes.look();
      if (!look) break;
      found = await stock.balance(look, isStaying(look.view, request.node) ? request.node : undefined);
      const classification = classify(found, request);
      if (classification.kind !== 'gather') return answer(classification.kind);
      if (await gather(found, classification)) return answer('granted');
    }
    return answer('unavailable');
  }

  /** Resolves to true when the asker has what it needs. */
  async function gather(look: Look, { asker, needed, donors }: Extract<Classification, { kind: 'gather' }>) {
    let granted = 0;
    for (const donor of donors) {
      if (granted >= needed) break;
      const taken = await stock.take(look, donor, donation(donor.state.virtual, needed - granted), asker.node.id);
      granted += taken.granted;
    }
    moved(granted);
    return (await stock.apply(look, asker, asker.node.granted + granted)) && granted >= needed;
  }

  return (request) => {
    const key = `${request.node} ${request.quantity}`;
    let flight = flights.get(key);
    if (!flight) {
      flight = mutex(() => refill(request)).finally(() => flights.delete(key));
      flights.set(key, flight);
    }
    return flight;
  };
}
