// S-config: what every role of the sale is told. Pods see an edit of it while they run.

import type { KubeObject } from '../kube/objects.ts';
import type { ManifestInput } from './input.ts';
import { nameOf, object } from './objects.ts';
import { CONFIG_FILE } from './places.ts';

export const configObjects = (input: ManifestInput): KubeObject[] => [
  object(input, 'ConfigMap', 'sale', nameOf(input.topology, 'config'), {
    data: { [CONFIG_FILE]: `${JSON.stringify(input.config, null, 2)}\n` },
  }),
];
