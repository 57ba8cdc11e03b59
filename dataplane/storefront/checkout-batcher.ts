// One shard's checkouts: one batch under way, the next one gathers meanwhile. The database answers a batch with one
// row lock and one commit, which is what makes a shard fast.
//
//   queued ──batch──▶ sold | known | cancelled | expired            answered
//     ▲  ▲              │
//     │  └── unknown ◀──┤  the connection was lost: the same rows again, to the same shard, until they give up (R34)
//     └───── short ◀────┘  the shard has too little: asked again a few times while stock comes (R29), then answered
//
// An answer is never guessed: a row that gives up is `unknown`, and the buyer's next try finds what became of it.

import type { Incarnation, Millis, Units } from '../protocol/units.ts';
import type { Cancel, Clock } from '../runtime/clock.ts';
import { WrongIncarnation } from '../stores/errors.ts';
import type { CheckoutOutcome, CheckoutRow, StorefrontShard } from '../stores/shard/shard.ts';
import { BatchQueue } from './batch-queue.ts';

export interface CheckoutBatcherOptions {
  /** Rows in one batch. */
  most: number;
  /** Rows that may wait; one more is answered `unknown` at once. */
  mostQueued: number;
  /** From the first "short" on. */
  shortWait: Millis;
  shortRetryEvery: Millis;
  /** From submission on, while the shard does not answer. */
  giveUpAfter: Millis;
  /** Between two tries of a shard that does not answer. */
  resendAfter: Millis;
}

/** 3 × 100 ms: what bringing stock takes, two to three times over (design: balancer). */
export const CHECKOUT_BATCHER: CheckoutBatcherOptions = {
  most: 256,
  mostQueued: 20_000,
  shortWait: 300,
  shortRetryEvery: 100,
  giveUpAfter: 5000,
  resendAfter: 100,
};

export interface CheckoutBatcherHooks {
  /** Of the sale, at this moment. */
  paymentDeadline(): Millis | undefined;
  /** Orders are committed and nobody knows yet. */
  committed(): void;
  batch(rows: number, took: Millis): void;
  resent(rows: number): void;
  /** The shard did not answer, or answered nonsense. */
  failed(error: unknown): void;
  clock: Clock;
}

/** `paymentDeadline`: what the batch was sent with. */
export interface CheckoutAnswer {
  outcome: CheckoutOutcome | 'unknown';
  paymentDeadline: Millis | undefined;
}

interface Waiting {
  row: CheckoutRow;
  incarnation: Incarnation;
  giveUpAt: Millis;
  shortUntil: Millis | undefined;
  answer(answer: CheckoutAnswer): void;
}

export class CheckoutBatcher {
  readonly #shard: StorefrontShard;
  readonly #options: CheckoutBatcherOptions;
  readonly #hooks: CheckoutBatcherHooks;
  readonly #queue = new BatchQueue<Waiting>((a, b) => a.incarnation === b.incarnation);
  #short: Waiting[] = [];
  #busy = false;
  #retry: Cancel | undefined;

  constructor(shard: StorefrontShard, hooks: CheckoutBatcherHooks, options: CheckoutBatcherOptions = CHECKOUT_BATCHER) {
    this.#shard = shard;
    this.#hooks = hooks;
    this.#options = options;
  }

  /** Rows not answered yet, without those under way. */
  get waiting(): number {
    return this.#queue.length + this.#short.length;
  }

  /** Never rejects. */
  submit(incarnation: Incarnation, row: CheckoutRow): Promise<CheckoutAnswer> {
    if (this.waiting >= this.#options.mostQueued)
      return Promise.resolve({ outcome: 'unknown', paymentDeadline: undefined });
    return new Promise((answer) => {
      const giveUpAt = this.#hooks.clock.now() + this.#options.giveUpAfter;
      this.#queue.push({ row, incarnation, giveUpAt, shortUntil: undefined, answer });
      this.#start();
    });
  }

  /** The shard is heard to have this many units: whoever waits for no more asks again now. */
  stocked(available: Units): void {
    if (this.#short.some(({ row }) => row.quantity <= available)) this.#askAgain();
  }

  /** At the end of this turn of the event loop, so that what arrives in it travels together. */
  #start(): void {
    if (this.#busy || this.#queue.length === 0) return;
    this.#busy = true;
    this.#hooks.clock.soon(() => void this.#run());
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#current();
      if (batch.length > 0 && !(await this.#send(batch))) await this.#hooks.clock.sleep(this.#options.resendAfter);
    }
    this.#busy = false;
  }

  /** The next batch, without those that gave up. */
  #current(): Waiting[] {
    const now = this.#hooks.clock.now();
    return this.#queue.take(this.#options.most).filter((waiting) => {
      if (waiting.giveUpAt > now) return true;
      waiting.answer({ outcome: 'unknown', paymentDeadline: undefined });
      return false;
    });
  }

  /** False: the shard did not answer, and the rows are queued again. */
  async #send(batch: Waiting[]): Promise<boolean> {
    const [first] = batch;
    if (first === undefined) return true;
    const started = this.#hooks.clock.now();
    const paymentDeadline = this.#hooks.paymentDeadline();
    let outcomes: CheckoutOutcome[];
    try {
      outcomes = await this.#shard.checkout(
        first.incarnation,
        batch.map(({ row }) => row),
        paymentDeadline,
      );
    } catch (error) {
      if (error instanceof WrongIncarnation) {
        // Tokens of another life of the sale.
        for (const { answer } of batch) answer({ outcome: 'expired', paymentDeadline });
        return true;
      }
      this.#hooks.failed(error);
      this.#hooks.resent(batch.length);
      this.#queue.putBack(batch);
      return false;
    }
    this.#hooks.batch(batch.length, this.#hooks.clock.now() - started);
    if (outcomes.includes('sold')) this.#hooks.committed();
    // The next batch goes out first: the database works on it while these buyers are answered.
    this.#hooks.clock.soon(() => {
      batch.forEach((waiting, i) => {
        const outcome = outcomes[i] ?? 'unknown';
        if (outcome !== 'short' || !this.#waitForStock(waiting)) waiting.answer({ outcome, paymentDeadline });
      });
    });
    return true;
  }

  /** False: it has waited long enough. */
  #waitForStock(waiting: Waiting): boolean {
    const now = this.#hooks.clock.now();
    waiting.shortUntil ??= now + this.#options.shortWait;
    if (now >= waiting.shortUntil) return false;
    this.#short.push(waiting);
    this.#retry ??= this.#hooks.clock.after(this.#options.shortRetryEvery, () => this.#askAgain());
    return true;
  }

  #askAgain(): void {
    this.#retry?.();
    this.#retry = undefined;
    for (const waiting of this.#short) this.#queue.push(waiting);
    this.#short = [];
    this.#start();
  }
}
