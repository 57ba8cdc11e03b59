// The shards that sell: a PostgreSQL and its agent in each pod.

import type { KubeObject } from '../kube/objects.ts';
import type { ManifestInput } from './input.ts';
import { postgresObjects } from './postgres.ts';
import { disruptionBudget } from './sets.ts';

export const shardObjects = (input: ManifestInput): KubeObject[] => [
  ...postgresObjects(input, 'shard', {
    replicas: input.topology.shards.members.length,
    reader: 'shard-agent',
    id: 's$(POD_INDEX)',
  }),
  disruptionBudget(input, 'shard'),
];
