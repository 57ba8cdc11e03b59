// Sends checkouts to one shard in batches. The database answers a batch with one row lock and one commit, which is what
// makes a shard fast.
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
import { Batcher } from './batcher.ts';

export interface CheckoutBatcherOptions {
  /** The largest number of rows in one batch. */
  most: number;
  /** The largest number of rows that may wait; one more is answered `unknown` at once. */
  mostQueued: number;
  /** How long a row waits for stock, from the shard's first answer `short` on. */
  shortWait: Millis;
  /** How often the rows that wait for stock are asked again. */
  shortRetryEvery: Millis;
  /** How long a row is sent again, from its submission on, while the shard does not answer. */
  giveUpAfter: Millis;
  /** The pause between two tries of a shard that does not answer. */
  resendAfter: Millis;
}

/** A row waits for stock two to three times as long as the balancer needs to bring it (R29). */
export const CHECKOUT_BATCHER: CheckoutBatcherOptions = {
  most: 256,
  mostQueued: 20_000,
  shortWait: 300,
  shortRetryEvery: 100,
  giveUpAfter: 5000,
  resendAfter: 100,
};

export interface CheckoutBatcherHooks {
  /** Returns how long buyers of this sale have to pay, as configured now; undefined where a checkout is final. */
  paymentDeadline(): Millis | undefined;
  /** Is called when orders are committed and no buyer has been told yet. */
  committed(): void;
  /** Is called after a shard's answer to a batch. */
  batch(rows: number, took: Millis): void;
  /** Is called when rows are queued again, because their shard did not answer. */
  resent(rows: number): void;
  /** Is called when the shard did not answer, or answered nonsense. */
  failed(error: unknown): void;
  clock: Clock;
}

export interface CheckoutAnswer {
  outcome: CheckoutOutcome | 'unknown';
  /** The payment deadline that the row was sent with. */
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
  readonly #batcher: Batcher<Waiting>;
  /** The rows that their shard had too little for, and that wait for stock. */
  #short: Waiting[] = [];
  #retry: Cancel | undefined;

  constructor(shard: StorefrontShard, hooks: CheckoutBatcherHooks, options: CheckoutBatcherOptions = CHECKOUT_BATCHER) {
    this.#shard = shard;
    this.#hooks = hooks;
    this.#options = options;
    this.#batcher = new Batcher<Waiting>(
      {
        most: options.most,
        together: (a, b) => a.incarnation === b.incarnation,
        send: (_first, batch) => this.#sendCurrent(batch),
      },
      hooks.clock,
    );
  }

  /** How many rows are not answered yet. Those under way are not counted. */
  get waiting(): number {
    return this.#batcher.waiting + this.#short.length;
  }

  /** Resolves when the row is answered or has given up. It never rejects. */
  submit(incarnation: Incarnation, row: CheckoutRow): Promise<CheckoutAnswer> {
    if (this.waiting >= this.#options.mostQueued)
      return Promise.resolve({ outcome: 'unknown', paymentDeadline: undefined });
    return new Promise((answer) => {
      const giveUpAt = this.#hooks.clock.now() + this.#options.giveUpAfter;
      this.#batcher.push({ row, incarnation, giveUpAt, shortUntil: undefined, answer });
    });
  }

  /** The shard reported this many units. When a row waits for no more than that, all that wait are asked again now. */
  stocked(available: Units): void {
    if (this.#short.some(({ row }) => row.quantity <= available)) this.#askAgain();
  }

  async #sendCurrent(taken: Waiting[]): Promise<void> {
    const batch = this.#current(taken);
    if (batch.length > 0 && !(await this.#send(batch))) await this.#hooks.clock.sleep(this.#options.resendAfter);
  }

  /** Returns the rows that go on, and answers those that gave up. */
  #current(taken: Waiting[]): Waiting[] {
    const now = this.#hooks.clock.now();
    return taken.filter((waiting) => {
      if (waiting.giveUpAt > now) return true;
      waiting.answer({ outcome: 'unknown', paymentDeadline: undefined });
      return false;
    });
  }

  /** Resolves to false when the shard did not answer, and the rows are queued again. */
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
        // The tokens are of an earlier sale of the same name.
        for (const { answer } of batch) answer({ outcome: 'expired', paymentDeadline });
        return true;
      }
      this.#hooks.failed(error);
      this.#hooks.resent(batch.length);
      this.#batcher.putBack(batch);
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

  /** Returns false when the row has waited for stock long enough. */
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
    for (const waiting of this.#short) this.#batcher.push(waiting);
    this.#short = [];
  }
}
