// What a watch says, one JSON document a line. Pure.

import { errorOfStatus, KubeError } from './errors.ts';
import type { KubeObject } from './objects.ts';

/** A bookmark tells only how far the server has looked. An ERROR of the server is thrown as a KubeError instead. */
export type WatchEvent =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: KubeObject; resourceVersion: string }
  | { type: 'BOOKMARK'; resourceVersion: string };

/** The whole lines of what came so far, and the begun one, to be given back with what comes next. */
export function splitLines(begun: string, text: string): { lines: string[]; begun: string } {
  const lines = (begun + text).split('\n');
  const last = lines.pop() ?? '';
  return { lines: lines.filter((line) => line.trim() !== ''), begun: last };
}

/** Throws a KubeError: the one that the line tells of, or `Malformed` for a line that is no event. */
export function eventOf(what: string, line: string): WatchEvent {
  const malformed = (cause?: unknown) => new KubeError(`${what}: a line is no watch event`, 0, 'Malformed', { cause });
  let event: { type?: unknown; object?: KubeObject };
  try {
    event = JSON.parse(line) as typeof event;
  } catch (error) {
    throw malformed(error);
  }
  const { type, object } = event;
  if (type === 'ERROR') throw errorOfStatus(what, object);
  const resourceVersion = object?.metadata?.resourceVersion;
  if (object === undefined || typeof resourceVersion !== 'string') throw malformed();
  if (type === 'BOOKMARK') return { type, resourceVersion };
  if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED') return { type, object, resourceVersion };
  throw malformed();
}
