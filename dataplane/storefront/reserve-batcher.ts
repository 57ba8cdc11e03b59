// Sends purchases to one cache node, many in one run of its script. A run for fifty costs the node little more than a
// run for one, and one fsync. The batcher decides nothing: the answers are those of the purchases one after the other,
// in the order in which they came. When no answer comes, nobody knows what was done for any of them, and each buyer's
// next try finds it (R27, R34).

import type { Clock } from '../runtime/clock.ts';
import type { ReserveReply, ReserveRequest, ReserveTerms, StorefrontNode } from '../stores/cache-node/cache-node.ts';
import { Batcher } from './batcher.ts';

/** So many take the node about a millisecond, in which it serves nobody else. */
const MOST = 256;

interface Reserve {
  terms: ReserveTerms;
  request: ReserveRequest;
  resolve(reply: ReserveReply): void;
  reject(error: unknown): void;
}

const sameTerms = ({ terms: a }: Reserve, { terms: b }: Reserve): boolean =>
  a.epoch === b.epoch &&
  a.layout === b.layout &&
  a.ttl === b.ttl &&
  a.perBuyer === b.perBuyer &&
  a.mostLapsed === b.mostLapsed &&
  a.cooldown === b.cooldown &&
  a.incarnation === b.incarnation;

export class ReserveBatcher {
  readonly #batcher: Batcher<Reserve>;

  constructor(node: StorefrontNode, clock: Clock) {
    this.#batcher = new Batcher<Reserve>(
      {
        most: MOST,
        together: sameTerms,
        async send({ terms }, batch) {
          try {
            const replies = await node.reserve(
              terms,
              batch.map(({ request }) => request),
            );
            replies.forEach((reply, i) => {
              batch[i]?.resolve(reply);
            });
          } catch (error) {
            for (const { reject } of batch) reject(error);
          }
        },
      },
      clock,
    );
  }

  /** Rejects when the node does not answer; the purchase may have been done all the same. */
  reserve(terms: ReserveTerms, request: ReserveRequest): Promise<ReserveReply> {
    return new Promise((resolve, reject) => {
      this.#batcher.push({ terms, request, resolve, reject });
    });
  }
}
