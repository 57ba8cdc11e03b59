// How long to wait before a process that died is started again. Pure.

import type { Millis } from '../../dataplane/protocol/units.ts';
import { backoff } from '../../dataplane/runtime/backoff.ts';

const AFTER_DEATH = { first: 100, longest: 10_000 };
/** A process that stayed up this long is not in a loop of deaths, so its next death counts as the first again. */
const STEADY: Millis = 10_000;

/** Returns the number of deaths in a row, this one included. `uptime` is how long the process had been ready; 0: it never was. */
export const deathsInRow = (before: number, uptime: Millis): number => (uptime >= STEADY ? 1 : before + 1);

/** Returns the wait after `deaths` in a row, which count from 1. */
export const waitAfter = (deaths: number): Millis => backoff(deaths, AFTER_DEATH);
