// How the program speaks: results to standard output, everything about its work to standard error; colours only where
// a person reads them (NO_COLOR is honoured by styleText). No logic.

import { styleText } from 'node:util';
import type { Millis } from '../../dataplane/protocol/units.ts';

type Style = Parameters<typeof styleText>[0];

/** Styles a text that goes to standard output; `note` writes a line to standard error. */
export const styled = (style: Style, text: string): string => styleText(style, text, { stream: process.stdout });
export const noteStyled = (style: Style, text: string): string => styleText(style, text, { stream: process.stderr });

export const print = (text: string): void => void process.stdout.write(`${text}\n`);
export const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2));
export const note = (text: string): void => void process.stderr.write(`${text}\n`);

export const seconds = (ms: Millis): string => `${(ms / 1000).toFixed(1)} s`;

/** Writes an age for people, such as `42 s`, `7 min`, `3 h 5 min` or `2 d 4 h`. */
export function span(ms: Millis): string {
  const total = Math.max(0, Math.round(ms / 1000));
  const [days, hours, minutes] = [
    Math.floor(total / 86_400),
    Math.floor(total / 3600) % 24,
    Math.floor(total / 60) % 60,
  ];
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min` : `${total} s`;
}

export const number = (value: number | undefined): string => (value === undefined ? '–' : value.toLocaleString('en'));

/** Columns as wide as their widest cell; `right` names the columns that hold numbers. */
export function table(rows: string[][], right: readonly number[] = []): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => width(row[column] ?? ''))));
  return rows
    .map((row) =>
      row
        .map((cell, column) => {
          const padding = ' '.repeat((widths[column] ?? 0) - width(cell));
          return right.includes(column) ? padding + cell : cell + padding;
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** The width of a text as a terminal shows it. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control characters
export const width = (cell: string): number => [...cell.replace(/\u001b\[\d+m/g, '')].length;
