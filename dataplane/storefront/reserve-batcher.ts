// Purchases on their way to one cache node, many at a time: one script under way, the next one gathers meanwhile. A
// script for fifty costs the node little more than a script for one, and one fsync. Decides nothing: the answers are
// those of the purchases one after the other, in the order in which they came. When no answer comes, it is unknown for
// all of them what was done, and each buyer's next try finds it (R27, R34).

import type { Clock } from '../runtime/clock.ts';
import type { ReserveReply, ReserveRequest, ReserveTerms, StorefrontNode } from '../stores/cache-node/cache-node.ts';
import { BatchQueue } from './batch-queue.ts';

/** The node serves nobody else meanwhile: a millisecond. */
const MOST = 256;

interface Waiting {
  terms: ReserveTerms;
  request: ReserveRequest;
  resolve(reply: ReserveReply): void;
  reject(error: unknown): void;
}

const sameTerms = ({ terms: a }: Waiting, { terms: b }: Waiting): boolean =>
  a.epoch === b.epoch &&
  a.layout === b.layout &&
  a.ttl === b.ttl &&
  a.perBuyer === b.perBuyer &&
  a.incarnation === b.incarnation;

export class ReserveBatcher {
  readonly #node: StorefrontNode;
  readonly #clock: Clock;
  readonly #queue = new BatchQueue(sameTerms);
  #busy = false;

  constructor(node: StorefrontNode, clock: Clock) {
    this.#node = node;
    this.#clock = clock;
  }

  /** Rejects when the node does not answer: it may have been done. */
  reserve(terms: ReserveTerms, request: ReserveRequest): Promise<ReserveReply> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ terms, request, resolve, reject });
      if (this.#busy) return;
      this.#busy = true;
      // What arrives in this turn of the event loop travels together.
      this.#clock.soon(() => void this.#run());
    });
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue.take(MOST);
      const [first] = batch;
      if (first === undefined) break;
      try {
        const replies = await this.#node.reserve(
          first.terms,
          batch.map(({ request }) => request),
        );
        replies.forEach((reply, i) => {
          batch[i]?.resolve(reply);
        });
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#busy = false;
  }
}
