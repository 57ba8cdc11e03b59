// The objects of three sales, held by golden files: change one on purpose with `vitest run -u`.

import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { KubeObject } from '../../../operator/kube/objects.ts';
import { manifestsOf } from '../../../operator/manifests/manifests.ts';
import { busyOptions, inputFor, load, options, root, SALES } from '../../harness/manifests.ts';

describe.each(Object.entries(SALES))('%s', (name, file) => {
  const manifests = manifestsOf(inputFor(load(file), { options: name === 'full' ? busyOptions : options }));

  const steps: [string, KubeObject[]][] = Object.entries(manifests);

  test.each(steps)('has these %s', async (step, objects) => {
    const text = objects.map((object) => stringify(readable(object), { lineWidth: 0 })).join('---\n');
    await expect(text).toMatchFileSnapshot(join(root, `test/golden/manifests/${name}/${step}.yaml`));
  });
});

/** A Secret's texts in clear, which mean the same to the API server and something to whoever reviews them. */
function readable({ data, ...object }: KubeObject): KubeObject {
  if (object.kind !== 'Secret') return { ...object, ...(data === undefined ? {} : { data }) };
  const texts = Object.entries(data as Record<string, string>).map(([name, value]) => [
    name,
    Buffer.from(value, 'base64').toString(),
  ]);
  return { ...object, stringData: Object.fromEntries(texts) };
}
