// A live list of what starts (or stops) where. On a terminal the list is drawn again in place; elsewhere each line is
// printed once, when there is news. Always to standard error.

import type { Millis } from '../../dataplane/protocol/units.ts';
import type { ProcessReport } from '../local/process.ts';
import type { SaleReport } from '../local/report.ts';
import { note, noteStyled, seconds, table, width } from './output.ts';

const TURNING = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

export class Progress {
  readonly #began: Millis;
  readonly #quiet: boolean;
  /** Elapsed time at which each first became ready. */
  readonly #ready = new Map<string, Millis>();
  /** What was ready before we came is no news, until it is not ready any more. */
  #before: Set<string> | undefined;
  readonly #said = new Set<string>();
  readonly #cameAt: Millis = Date.now();
  #drawn = 0;
  #turn = 0;

  /** Shows progress. With `quiet` it says nothing. `now` is a clock that never goes back. */
  constructor(now: Millis, quiet: boolean) {
    this.#began = now;
    this.#quiet = quiet;
  }

  show(report: SaleReport, now: Millis): void {
    const elapsed = now - this.#began;
    this.#before ??= new Set(
      report.processes.filter(({ readyAt = Date.now() }) => readyAt < this.#cameAt).map(({ name }) => name),
    );
    const processes = report.processes.filter(({ name, phase }) => {
      if (phase !== 'ready') this.#before?.delete(name);
      return !this.#before?.has(name);
    });
    for (const { name, phase } of processes)
      if (phase === 'ready' && !this.#ready.has(name)) this.#ready.set(name, elapsed);
    if (this.#quiet) return;
    const shown = { ...report, processes };
    const lines = this.#lines(shown, elapsed);
    if (fits(lines)) this.#draw(lines);
    else this.#say(shown, elapsed);
  }

  /** The list stays as it was last drawn. */
  end(): void {
    this.#drawn = 0;
  }

  #lines(report: SaleReport, elapsed: Millis): string[] {
    const turning = TURNING[this.#turn++ % TURNING.length] ?? '';
    const rows = report.processes.map((process) => this.#row(process, turning, elapsed));
    const waiting =
      report.waitingFor === undefined || report.processes.some(({ phase }) => phase !== 'ready')
        ? []
        : [`${noteStyled('yellow', turning)} ${report.waitingFor}`];
    return [...(rows.length > 0 ? table(rows, [3]).split('\n') : []), ...waiting].map((line) => `  ${line}`);
  }

  #draw(lines: string[]): void {
    const up = this.#drawn > 0 ? `\u001b[${this.#drawn}A` : '';
    process.stderr.write(`${up}\u001b[J${lines.map((line) => `${line}\n`).join('')}`);
    this.#drawn = lines.length;
  }

  #row({ name, title, phase, reason, address }: ProcessReport, turning: string, elapsed: Millis): string[] {
    const at = this.#ready.get(name);
    if (phase === 'ready') return [noteStyled('green', '✓'), title, address ?? '', seconds(at ?? elapsed)];
    if (phase === 'waiting') return [noteStyled('red', '✗'), title, reason ?? '', ''];
    return [
      noteStyled('yellow', turning),
      title,
      noteStyled('dim', reason ?? (phase === 'stopped' ? 'not yet' : phase)),
      seconds(elapsed),
    ];
  }

  #say(report: SaleReport, elapsed: Millis): void {
    const once = (key: string, text: string) => {
      if (!this.#said.has(key)) note(`  ${text}`);
      this.#said.add(key);
    };
    for (const { name, title, phase, reason, address } of report.processes) {
      if (phase === 'ready') once(`${name} ready`, `✓ ${title}  ${address ?? ''}  ${seconds(elapsed)}`);
      if (phase === 'waiting') once(`${name} ${reason}`, `✗ ${title}: ${reason}`);
    }
    if (report.waitingFor !== undefined && report.processes.every(({ phase }) => phase === 'ready'))
      once(report.waitingFor, `… ${report.waitingFor}`);
  }
}

/** Whether a list can be drawn again in place: a line that wraps, or one that scrolled away, cannot. */
const fits = (lines: string[]): boolean => {
  const { isTTY, rows = 0, columns = 0 } = process.stderr;
  return isTTY === true && lines.length + 2 < rows && lines.every((line) => width(line) < columns);
};
