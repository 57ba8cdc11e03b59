// The cache nodes: a Redis and its agent in each pod.

import { fingerprint } from '../../dataplane/runtime/fingerprint.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { ManifestInput } from './input.ts';
import { nameOf } from './objects.ts';
import { PATHS, PORTS, USERS } from './places.ts';
import { container, podTemplate, resourcesFor, roleContainer, roleVolumes, tcpProbes } from './pods.ts';
import { redisConfOf } from './secrets.ts';
import { disruptionBudget, numberedPods } from './sets.ts';

export function cacheObjects(input: ManifestInput): KubeObject[] {
  const { topology, options, cachePods } = input;
  const redis = container(options, 'redis', {
    name: 'redis',
    command: ['redis-server', `${PATHS.redis}/redis.conf`],
    ports: [{ name: 'redis', containerPort: PORTS.redis }],
    // That it takes connections; whether the node is fit to sell from is the agent's to say.
    ...tcpProbes('redis'),
    ...resourcesFor(input, 'redis', topology.caches.resources),
    volumeMounts: [
      { name: 'redis-conf', mountPath: PATHS.redis, readOnly: true },
      { name: 'data', mountPath: PATHS.data },
    ],
  });
  const agent = roleContainer(input, {
    name: 'agent',
    role: 'cache-agent',
    id: 'c$(POD_INDEX)',
    resources: resourcesFor(input, 'agent'),
  });
  const template = podTemplate(input, 'cache', {
    containers: [redis, agent],
    volumes: [
      { name: 'redis-conf', secret: { secretName: nameOf(topology, 'redis'), defaultMode: 0o440 } },
      ...roleVolumes(input, 'cache-agent'),
    ],
    group: USERS.redis,
    grace: 30,
    // Redis reads its configuration only when it starts.
    annotations: { 'flashsale.dev/redis-conf': fingerprint(redisConfOf(input)) },
  });
  return [
    ...numberedPods(input, 'cache', {
      replicas: cachePods,
      template,
      ports: [{ name: 'redis', port: PORTS.redis, targetPort: 'redis' }],
      storage: topology.caches.storage,
    }),
    disruptionBudget(input, 'cache'),
  ];
}
