// Reads buyers' newest tokens from one cache node, many buyers in one command. A read of one buyer costs as much as a
// purchase; a read of fifty costs little more than a read of one.

import type { BuyerId } from '../protocol/units.ts';
import type { Clock } from '../runtime/clock.ts';
import type { StorefrontNode, TokenRecord } from '../stores/cache-node/cache-node.ts';
import { Batcher } from './batcher.ts';

const MOST = 256;

interface Read {
  buyer: BuyerId;
  resolve(token: TokenRecord | undefined): void;
  reject(error: unknown): void;
}

export class TokenReadBatcher {
  readonly #batcher: Batcher<Read>;

  constructor(node: StorefrontNode, clock: Clock) {
    this.#batcher = new Batcher<Read>(
      {
        most: MOST,
        together: () => true,
        async send(_first, reads) {
          try {
            const tokens = await node.tokens(reads.map(({ buyer }) => buyer));
            reads.forEach(({ resolve }, i) => {
              resolve(tokens[i]);
            });
          } catch (error) {
            for (const { reject } of reads) reject(error);
          }
        },
      },
      clock,
    );
  }

  /** Resolves to undefined when the buyer has no token, or returned it. Rejects when the node does not answer. */
  token(buyer: BuyerId): Promise<TokenRecord | undefined> {
    return new Promise((resolve, reject) => {
      this.#batcher.push({ buyer, resolve, reject });
    });
  }
}
