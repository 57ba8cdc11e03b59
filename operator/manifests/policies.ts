// Who may talk to whom: each store only to those who work with it, storefronts and metrics to everyone. What pods may
// reach is left open, for Kafka, the webhook and the identity provider are anywhere.

import type { V1NetworkPolicyPeer, V1NetworkPolicyPort } from '@kubernetes/client-node';
import type { KubeObject } from '../kube/objects.ts';
import type { ManifestInput } from './input.ts';
import { type Component, nameOf, object, selectorOf } from './objects.ts';
import { PORTS } from './places.ts';

/** The API's own name of the field; the client library has another one for it. */
interface Rule {
  /** Who may connect; absent: everyone. */
  from?: V1NetworkPolicyPeer[];
  ports: V1NetworkPolicyPort[];
}

export function policyObjects(input: ManifestInput): KubeObject[] {
  const { topology, options } = input;
  if (!options.networkPolicies.enabled) return [];
  const pods = (component: Component): V1NetworkPolicyPeer => ({ podSelector: selectorOf(topology, component) });
  const operator: V1NetworkPolicyPeer = {
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': options.networkPolicies.operatorNamespace } },
  };
  const storefront = pods('storefront');
  // A pod's own agent needs no rule: nothing keeps a pod from itself.
  const database = [storefront, pods('cache'), pods('shard'), pods('pool'), operator];
  const policy = (component: Component, rules: Rule[]): KubeObject =>
    object(input, 'NetworkPolicy', component, nameOf(topology, component), {
      spec: {
        podSelector: selectorOf(topology, component),
        policyTypes: ['Ingress'],
        ingress: [...rules, { ports: [port(PORTS.metrics)] }],
      },
    });
  return [
    policy('cache', [{ from: [storefront, pods('pool'), operator], ports: [port(PORTS.redis)] }]),
    policy('shard', [{ from: database, ports: [port(PORTS.postgres)] }]),
    policy('pool', [
      { from: database, ports: [port(PORTS.postgres)] },
      { from: [storefront], ports: [port(PORTS.refills)] },
    ]),
    policy('storefront', [{ ports: [port(PORTS.http)] }]),
  ];
}

const port = (number: number): V1NetworkPolicyPort => ({ protocol: 'TCP', port: number });
