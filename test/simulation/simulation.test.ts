// Seeded runs of whole sales on the code that ships. SEED=n runs one seed alone; STEPS=n goes on for that many steps.

import { expect, test } from 'vitest';
import { run } from './run.ts';

const only = process.env.SEED;
const most = Number(process.env.STEPS ?? 3_000_000);
/** On a machine that does much else besides; alone it takes about a minute. */
const TIMEOUT = 900_000;

test('R10, R11, R26, R27, R28, R29, R30, R31, R32, R33: whatever goes wrong, every unit is sold once or can be bought', {
  timeout: TIMEOUT,
}, async () => {
  if (only !== undefined) await run(Number(only));
  else {
    let steps = 0;
    for (let seed = 1; steps < most; seed++) steps += (await run(seed)).steps;
    expect(steps).toBeGreaterThanOrEqual(most);
  }
});
