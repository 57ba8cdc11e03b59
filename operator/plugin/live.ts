// A picture that is drawn again and again on the terminal's second screen, until Ctrl-C, which brings the first one
// back. What fails once it was drawn is shown below the last picture: a cluster that is away for a moment comes back.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Millis } from '../../dataplane/protocol/units.ts';
import { messageOf } from '../../dataplane/runtime/user-error.ts';
import { styled, width } from '../cli/output.ts';

const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const FROM_THE_TOP = '\u001b[H\u001b[J';

/** Draws again and again until it is stopped. `draw` rejects with an error for people. */
export async function live(draw: () => Promise<string>, every: Millis, out: NodeJS.WriteStream): Promise<void> {
  let picture = await draw();
  const ended = new AbortController();
  const end = () => ended.abort();
  const show = (below: string) => out.write(FROM_THE_TOP + fitted(`${picture}${below}`, out));
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, end);
  const resized = () => show('');
  out.on('resize', resized).write(ENTER);
  try {
    for (let failure = ''; ; ) {
      show(failure);
      await sleep(every, undefined, { signal: ended.signal });
      try {
        picture = await draw();
        failure = '';
      } catch (error) {
        failure = `\n\n${styled('red', messageOf(error))}`;
      }
    }
  } catch (error) {
    if (!ended.signal.aborted) throw error;
  } finally {
    out.off('resize', resized).write(LEAVE);
  }
}

/** Cuts the text to the room that the terminal has: a line that is too long would push the others down. Some terminals say 0 for unknown. */
function fitted(text: string, out: NodeJS.WriteStream): string {
  const [rows, columns] = [out.rows || 24, out.columns || 80];
  return text
    .split('\n')
    .slice(0, rows - 1)
    .map((line) => (width(line) < columns ? line : cut(line, columns - 1)))
    .join('\n');
}

/** Colours take no room, and are ended. */
function cut(line: string, columns: number): string {
  let room = columns;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control characters
  const parts = line.match(/\u001b\[\d+m|./gu) ?? [];
  return `${parts.filter((part) => part.length > 1 || room-- > 0).join('')}\u001b[0m`;
}
