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
    const text = objects.map((object) => stringify(object, { lineWidth: 0 })).join('---\n');
    await expect(text).toMatchFileSnapshot(join(root, `test/golden/manifests/${name}/${step}.yaml`));
  });
});
