// Reads buyers' newest tokens from a cache node, many at a time: one command under way, the next one gathers meanwhile.
// A read of one costs as much as a purchase; a read of fifty costs little more than a read of one.

import type { BuyerId } from '../protocol/units.ts';
import type { Clock } from '../runtime/clock.ts';
import type { StorefrontNode, TokenRecord } from '../stores/cache-node/cache-node.ts';
import { BatchQueue } from './batch-queue.ts';

const MOST = 256;

interface Question {
  buyer: BuyerId;
  resolve(token: TokenRecord | undefined): void;
  reject(error: unknown): void;
}

export class TokenReadBatcher {
  readonly #node: StorefrontNode;
  readonly #clock: Clock;
  readonly #queue = new BatchQueue<Question>(() => true);
  #busy = false;

  constructor(node: StorefrontNode, clock: Clock) {
    this.#node = node;
    this.#clock = clock;
  }

  /** Undefined: none, or it was returned. Rejects when the node does not answer. */
  token(buyer: BuyerId): Promise<TokenRecord | undefined> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ buyer, resolve, reject });
      if (this.#busy) return;
      this.#busy = true;
      // What arrives in this turn of the event loop travels together.
      this.#clock.soon(() => void this.#run());
    });
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      const questions = this.#queue.take(MOST);
      try {
        const tokens = await this.#node.tokens(questions.map(({ buyer }) => buyer));
        questions.forEach(({ resolve }, i) => {
          resolve(tokens[i]);
        });
      } catch (error) {
        for (const { reject } of questions) reject(error);
      }
    }
    this.#busy = false;
  }
}
