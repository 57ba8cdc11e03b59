// An edit in words, for up and plan.

import type { Change } from '../topology/changes.ts';
import { table } from './output.ts';

const shown = (value: unknown): string => {
  const text = value === undefined ? 'unset' : typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
};

export const changeLines = (changes: Change[]): string[] =>
  changes.length === 0
    ? ['nothing to change']
    : table(changes.map(({ field, from, to, effect }) => [`${field}:`, `${shown(from)} → ${shown(to)}`, effect])).split(
        '\n',
      );
