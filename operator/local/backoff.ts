// How long to wait before a process that died is started again. Pure.

import type { Millis } from '../../dataplane/protocol/units.ts';

const FIRST: Millis = 100;
const LONGEST: Millis = 10_000;
/** One that stayed up this long is not in a loop of deaths: it counts as the first again. */
const STEADY: Millis = 10_000;

/** The deaths in a row, this one included. `uptime`: how long it had been ready (0: it never was). */
export const deathsInRow = (before: number, uptime: Millis): number => (uptime >= STEADY ? 1 : before + 1);

/** The wait after `deaths` ≥ 1 in a row: doubled each time, bounded. */
export const waitAfter = (deaths: number): Millis => Math.min(LONGEST, FIRST * 2 ** (deaths - 1));
