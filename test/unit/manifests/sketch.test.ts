// What `flashsale render --target kubernetes` shows.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { sketch } from '../../../operator/manifests/sketch.ts';
import { load, objectsOf, root, SALES } from '../../harness/manifests.ts';

test.each(Object.entries(SALES))('%s: the objects the operator would make, owned by nobody yet', (_, file) => {
  const shown = sketch(load(file), '1.2.3');
  const named = (objects: typeof shown) => objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
  expect(named(shown).sort()).toEqual(named(objectsOf(load(file))).sort());
  expect(shown.filter(({ metadata }) => metadata.ownerReferences !== undefined)).toEqual([]);
  expect(stringify(shown)).toContain('ghcr.io/flashsale-dev/flashsale:1.2.3');
});

test('no secret is shown, not even one that stands in the same file', () => {
  const file = join(root, SALES.shop);
  expect(readFileSync(file, 'utf8')).toContain('s3cret');
  const data = sketch(load(SALES.shop), '1').flatMap(({ kind, data }) =>
    kind === 'Secret' ? Object.entries(data as object) : [],
  );
  const values = data.flatMap(([name, value]) =>
    name === 'redis.conf' ? [] : [Buffer.from(value, 'base64').toString()],
  );
  expect(new Set(values)).toEqual(new Set(['placeholder']));
});
