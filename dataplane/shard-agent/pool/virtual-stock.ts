// Moves virtual stock between cache nodes: it is revoked at one, booked and granted in one transaction of the sale's
// registry, and applied at the other. Each step may be the last one before a crash: `balance` finds what was left
// undone by the lifetime totals on both sides, whoever left it.

import type { NodeId, Units } from '../../protocol/units.ts';
import { failpoint } from '../../runtime/failpoint.ts';
import { StoreUnknown } from '../../stores/errors.ts';
import type { AgentRegistry } from '../../stores/registry/registry.ts';
import type { Nodes } from './nodes.ts';
import { type FitReading, isFit, type Look, poorest, unapplied, unbooked } from './reading.ts';

export interface Taken {
  /** The units that the donor gave. */
  booked: Units;
  /** How many of them the receiver was granted. The rest pays a lowered supply. */
  granted: Units;
}

const NOTHING: Taken = { booked: 0, granted: 0 };

export interface VirtualStock {
  /**
   * Books what is unbooked and applies what is unapplied. The recipient of what is booked is `recipient`, or the poorest
   * node. Resolves to a look taken afterwards, or to the same one when there was nothing to do.
   */
  balance(look: Look, recipient?: NodeId): Promise<Look>;
  /** Takes up to `units` from a node and grants them to another one, which has yet to apply them. */
  take(look: Look, from: FitReading, units: Units, to: NodeId): Promise<Taken>;
  /** Lets a node apply its grants up to this lifetime total. Resolves to false when it could not. */
  apply(look: Look, to: FitReading, grantedTotal: Units): Promise<boolean>;
}

export function virtualStock(nodes: Nodes, registry: AgentRegistry): VirtualStock {
  const expected = ({ view }: Look, { node }: FitReading) => ({ incarnation: view.incarnation, epoch: node.epoch });

  async function apply(look: Look, to: FitReading, grantedTotal: Units): Promise<boolean> {
    return (await answerOf(nodes.client(to.node.id)?.grant(expected(look, to), grantedTotal))) ?? false;
  }

  async function book(look: Look, recipient: NodeId): Promise<boolean> {
    let booked = false;
    for (const reading of look.readings.filter(isFit)) {
      if (unbooked(reading) === 0) continue;
      await registry.book(look.view.incarnation, reading.node.id, reading.node.epoch, reading.state.revoked, recipient);
      booked = true;
    }
    return booked;
  }

  return {
    apply,
    async balance(look, wantedRecipient) {
      const recipient = wantedRecipient ?? poorest(look);
      const booked = recipient !== undefined && (await book(look, recipient));
      const current = booked ? await nodes.look() : look;
      if (!current) return look;
      const behind = current.readings.filter(isFit).filter((reading) => unapplied(reading) > 0);
      if (behind.length === 0) return current;
      await Promise.all(behind.map((reading) => apply(current, reading, reading.node.granted)));
      return (await nodes.look()) ?? current;
    },
    async take(look, from, units, to) {
      const revoked = await answerOf(nodes.client(from.node.id)?.revoke(expected(look, from), units));
      if (!revoked) return NOTHING;
      failpoint('shard-agent', 'pool', 'refill-revoked');
      const { booked, granted } = await registry.book(
        look.view.incarnation,
        from.node.id,
        from.node.epoch,
        revoked.revoked,
        to,
      );
      failpoint('shard-agent', 'pool', 'refill-booked');
      return { booked, granted };
    },
  };
}

/**
 * Resolves to a node's answer, and to undefined when it did not answer: it may have done it or not, and the next look
 * tells.
 */
async function answerOf<T>(call: Promise<T> | undefined): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof StoreUnknown) return undefined;
    throw error;
  }
}
