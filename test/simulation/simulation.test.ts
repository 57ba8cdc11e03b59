// Seeded runs of whole sales. SEED=n runs one seed alone; SEEDS=n runs that many.

import { expect, test } from 'vitest';
import { run } from './run.ts';

const only = process.env.SEED;
const seeds =
  only === undefined ? Array.from({ length: Number(process.env.SEEDS ?? 250) }, (_, i) => i + 1) : [Number(only)];

test('R26, R27, R28, R29, R30, R31, R32, R33: whatever goes wrong, every unit is sold once or can be bought', () => {
  for (const seed of seeds) expect(run(seed).seed).toBe(seed);
});
