// Audits on demand. One reads every order and token of a sale, so at most one runs at a time, whoever asks; and what it
// found answers everybody who asks again soon after.

import type { Millis } from '../../dataplane/protocol/units.ts';
import type { AuditReport } from '../audit/check.ts';
import { Problem } from './answers.ts';
import type { SaleKey, SaleSource } from './source.ts';

export interface AuditAnswer {
  /** When the audit began, by this machine's clock, and how long it took. */
  at: Millis;
  took: Millis;
  report: AuditReport;
}

/** A result is given again for so long. */
const GOOD_FOR: Millis = 10_000;

export class Audits {
  readonly #audit: NonNullable<SaleSource['audit']>;
  readonly #goodFor: Millis;
  readonly #last = new Map<SaleKey, AuditAnswer>();
  #running: { key: SaleKey; answer: Promise<AuditAnswer> } | undefined;

  constructor(audit: NonNullable<SaleSource['audit']>, goodFor = GOOD_FOR) {
    this.#audit = audit;
    this.#goodFor = goodFor;
  }

  /** Rejects with `Problem` while another sale is being audited, and with whatever the audit rejects with. */
  async run(key: SaleKey): Promise<AuditAnswer> {
    const last = this.#last.get(key);
    if (last && Date.now() - last.at - last.took < this.#goodFor) return last;
    if (this.#running && this.#running.key !== key)
      throw new Problem(429, `The sale ${this.#running.key} is being audited; ask again soon`, { 'retry-after': '5' });
    this.#running ??= { key, answer: this.#begin(key).finally(() => (this.#running = undefined)) };
    return this.#running.answer;
  }

  async #begin(key: SaleKey): Promise<AuditAnswer> {
    const at = Date.now();
    const report = await this.#audit(key);
    const answer = { at, took: Date.now() - at, report };
    this.#last.clear();
    this.#last.set(key, answer);
    return answer;
  }
}
