// The storefronts, and the Service that buyers come by. None is taken away before another one serves.

import type { V1DeploymentSpec, V2HorizontalPodAutoscalerSpec } from '@kubernetes/client-node';
import type { KubeObject } from '../kube/objects.ts';
import type { ManifestInput } from './input.ts';
import { nameOf, object, selectorOf } from './objects.ts';
import { PORTS, USERS } from './places.ts';
import { podTemplate, resourcesFor, roleContainer, roleVolumes } from './pods.ts';
import { disruptionBudget } from './sets.ts';

/** How long a leaving storefront goes on serving: buyers still come until every node of the cluster has heard that it leaves. */
const FAREWELL_SECONDS = 5;

export function storefrontObjects(input: ManifestInput): KubeObject[] {
  const { topology } = input;
  const { replicas, resources, autoscaling } = topology.storefronts;
  const name = nameOf(topology, 'storefront');
  const template = podTemplate(input, 'storefront', {
    containers: [
      roleContainer(input, {
        name: 'storefront',
        role: 'storefront',
        listen: { name: 'http', port: PORTS.http },
        lists: true,
        resources: resourcesFor(input, 'storefront', resources),
        lifecycle: { preStop: { sleep: { seconds: FAREWELL_SECONDS } } },
      }),
    ],
    volumes: roleVolumes(input, 'storefront'),
    group: USERS.flashsale,
    grace: 30,
  });
  const spec: V1DeploymentSpec = {
    // An autoscaler owns the number where there is one.
    ...(autoscaling ? {} : { replicas }),
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
    selector: selectorOf(topology, 'storefront'),
    template,
  };
  return [
    object(input, 'Service', 'storefront', topology.name, {
      spec: {
        selector: selectorOf(topology, 'storefront').matchLabels,
        ports: [{ name: 'http', port: 80, targetPort: 'http' }],
      },
    }),
    object(input, 'Deployment', 'storefront', name, { spec }),
    disruptionBudget(input, 'storefront'),
    ...(autoscaling ? [object(input, 'HorizontalPodAutoscaler', 'storefront', name, { spec: scaling(input) })] : []),
  ];
}

function scaling({ topology }: ManifestInput): V2HorizontalPodAutoscalerSpec {
  const { replicas, autoscaling } = topology.storefronts;
  return {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: nameOf(topology, 'storefront') },
    minReplicas: replicas,
    maxReplicas: autoscaling?.maxReplicas ?? replicas,
    metrics: [
      {
        type: 'Resource',
        resource: {
          name: 'cpu',
          target: { type: 'Utilization', averageUtilization: autoscaling?.cpuUtilization ?? 0 },
        },
      },
    ],
  };
}
