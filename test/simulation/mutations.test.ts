// Each sentence of the protocol is needed: taken back, some seed finds a violation. Each is looked for by a process of
// its own, because the patch has to be in place before anything is imported.

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { STORE_SENTENCES, type StoreSentence } from '../models/sentences.ts';
import { COVERED_SENTENCES, MUTATIONS, type Mutation } from './mutations.ts';
import { patched } from './patch.ts';
import { run } from './run.ts';
import { WEATHERS, type WeatherName } from './weathers.ts';

const ROOT = resolve(import.meta.dirname, '../..');
/** On a machine that does much else besides; what a search may take of its own time is said by hack/simulate. */
const TIMEOUT = 600_000;

/** Answers the last lines of what hack/simulate says. */
const simulate = (...options: string[]): Promise<string> =>
  new Promise((done) => {
    execFile('node', [resolve(import.meta.dirname, 'main.ts'), '--notes', '0', ...options], (_, out, errors) =>
      done(`${out}${errors}`.trim()),
    );
  });

/** One seed alone was asked for: that is simulation.test.ts. */
const oneSeed = process.env.SEED !== undefined;

describe('a mutation', () => {
  test.each(Object.entries<Mutation>(MUTATIONS))('changes its file: %s', (_, mutation) => {
    const text = readFileSync(resolve(ROOT, mutation.file), 'utf8');
    expect(patched(text, mutation)).not.toBe(text);
  });
});

describe.skipIf(oneSeed)('taken back, some seed finds a violation', { concurrent: true }, () => {
  test.each(Object.keys(MUTATIONS))('%s', { timeout: TIMEOUT }, async (name) => {
    expect(await simulate('--mutation', name)).toMatch(/the mutation was found$/);
  });
  test.each((Object.keys(STORE_SENTENCES) as StoreSentence[]).filter((name) => !(name in COVERED_SENTENCES)))(
    '%s',
    { timeout: TIMEOUT },
    async (name) => {
      expect(await simulate('--without', name)).toMatch(/the mutation was found$/);
    },
  );
});

/** Each set of sentences that guard the same, once. */
const guards = new Set(Object.values(COVERED_SENTENCES).flatMap(({ together = [] }) => together.join(' ') || []));

describe.skipIf(oneSeed)('taken back with the others that guard the same, some seed finds a violation', () => {
  test.each([...guards])('%s', { timeout: TIMEOUT }, async (names) => {
    expect(await simulate(...names.split(' ').flatMap((name) => ['--without', name]))).toMatch(
      /the mutation was found$/,
    );
  });
});

describe.skipIf(oneSeed)('in place, the same weather does no harm', () => {
  test.each(Object.keys(WEATHERS) as WeatherName[])('%s', { timeout: TIMEOUT }, async (name) => {
    for (let seed = 1; seed <= 8; seed++) await run(seed, { scenario: WEATHERS[name] });
  });
});
