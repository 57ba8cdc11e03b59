// The transfer pool, with the registry in its database: a single pod like a shard's, whose agent answers refills, too.
// Buyers are served without it, so a drain of its node need not wait.

import type { KubeObject } from '../kube/objects.ts';
import type { ManifestInput } from './input.ts';
import { PORTS } from './places.ts';
import { postgresObjects } from './postgres.ts';

export const poolObjects = (input: ManifestInput): KubeObject[] =>
  postgresObjects(input, 'pool', {
    replicas: 1,
    reader: 'pool-agent',
    id: 'pool',
    listen: { name: 'refills', port: PORTS.refills },
  });
