// What happened in a run, for whoever reads why it failed: the newest notes, put into words only when they are read.

import type { Millis } from '../../../dataplane/protocol/units.ts';

interface Note {
  at: Millis;
  who: string;
  what: string;
  details: unknown;
}

const MOST = 2000;

export class Story {
  #notes: Note[] = [];

  note(at: Millis, who: string, what: string, details?: unknown): void {
    this.#notes.push({ at, who, what, details });
    if (this.#notes.length >= 2 * MOST) this.#notes = this.#notes.slice(-MOST);
  }

  last(count: number): string[] {
    return this.#notes.slice(Math.max(0, this.#notes.length - count)).map(({ at, who, what, details }) => {
      const more = details === undefined ? '' : ` ${wordsOf(details)}`;
      return `${at.toFixed(1).padStart(9)}  ${who}: ${what}${more}`;
    });
  }
}

function wordsOf(details: unknown): string {
  if (details instanceof Error) return `(${details.name}: ${details.message})`;
  const text = JSON.stringify(details, (_, value) =>
    value instanceof Error ? `${value.name}: ${value.message}` : value,
  );
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
