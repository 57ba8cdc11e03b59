// The sales whose manifests are looked at, made as the operator makes them, with secrets that are always the same.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FlashSale } from '../../operator/api/flashsale.gen.ts';
import { loadFlashSale } from '../../operator/api/load.ts';
import { validate } from '../../operator/api/validate.ts';
import type { KubeObject } from '../../operator/kube/objects.ts';
import type { ManifestInput } from '../../operator/manifests/input.ts';
import { type Manifests, manifestsOf } from '../../operator/manifests/manifests.ts';
import type { OperatorOptions } from '../../operator/manifests/options.ts';
import { placeInCluster } from '../../operator/manifests/placement.ts';
import { secretsToMake } from '../../operator/manifests/secrets.ts';
import { saleConfig } from '../../operator/topology/placement.ts';
import { buildTopology } from '../../operator/topology/topology.ts';

export const root = join(import.meta.dirname, '..', '..');

/** By the name of the folder that holds their golden files. */
export const SALES = {
  minimal: 'docs/examples/minimal.yaml',
  full: 'docs/examples/full.yaml',
  shop: 'test/golden/topology/shop.yaml',
} as const;

export const options: OperatorOptions = {
  images: {
    flashsale: 'registry.example.com/flashsale:1.2.3',
    redis: 'registry.example.com/redis:8',
    postgres: 'registry.example.com/postgres:18',
  },
  imagePullPolicy: 'IfNotPresent',
  imagePullSecrets: [],
  kafka: { bootstrapServers: ['kafka.kafka.svc:9092'], replicationFactor: 3 },
  pods: {},
  networkPolicies: { enabled: true, operatorNamespace: 'flashsale-system' },
  tenants: { plaintextKafka: [], limits: { sale: {}, namespace: {} } },
  watchNamespaces: [],
};

/** Whoever installed the operator made use of everything. */
export const busyOptions: OperatorOptions = {
  ...options,
  imagePullPolicy: 'Always',
  imagePullSecrets: ['registry-login'],
  pods: {
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'sales', effect: 'NoSchedule' }],
    topologySpread: true,
    annotations: { 'example.com/team': 'shop' },
    priorityClassName: 'sales',
    resources: {
      agent: { requests: { cpu: '50m', memory: '96Mi' }, limits: { memory: '256Mi' } },
      redis: { requests: { memory: '256Mi' } },
    },
  },
};

export function load(file: string): FlashSale {
  const loaded = loadFlashSale(readFileSync(join(root, file), 'utf8'), { source: file });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.errors));
  return loaded.sale;
}

/** The least a sale needs, and what is changed of it. */
export function saleOf(spec: Record<string, unknown> = {}, metadata: Record<string, unknown> = {}): FlashSale {
  const validation = validate({
    apiVersion: 'flashsale.dev/v1alpha1',
    kind: 'FlashSale',
    metadata: { name: 'phone', namespace: 'shop', ...metadata },
    spec: {
      sku: 'A',
      stock: 1,
      cache: { nodes: 2 },
      shards: { count: 2 },
      auth: { trustedHeader: { name: 'X-Buyer-Id', insecure: true } },
      ...spec,
    },
  });
  if (!validation.ok) throw new Error(JSON.stringify(validation.findings));
  return validation.sale;
}

const UID = '7f2a6c1e-0000-4000-8000-000000000001';

/** As the operator would call it, for a sale that was applied. */
export function inputFor(applied: FlashSale, patch: Partial<ManifestInput> = {}): ManifestInput {
  const sale = { ...applied, metadata: { ...applied.metadata, uid: UID, generation: 1 } };
  const topology = buildTopology(sale);
  const cachePods = patch.cachePods ?? topology.caches.nodes.length;
  const { kafka } = patch.options ?? options;
  return {
    sale,
    topology,
    options,
    secrets: new Map([
      ...secretsToMake(topology).map(({ name }) => [name, `secret-of-${name}`] as const),
      ...topology.givenSecrets.map(({ file }) => [file, `given-secret-of-${file}`] as const),
    ]),
    cachePods,
    config: saleConfig(topology, placeInCluster(topology, { cachePods, ...(kafka ? { kafka } : {}) })),
    startedWith: '0123456789abcdef',
    ...patch,
  };
}

const everything = (manifests: Manifests): KubeObject[] => Object.values(manifests).flat();

export const objectsOf = (applied: FlashSale, patch: Partial<ManifestInput> = {}): KubeObject[] =>
  everything(manifestsOf(inputFor(applied, patch)));

export function named(objects: KubeObject[], kind: string, name: string): KubeObject {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (!found) throw new Error(`there is no ${kind} ${name}`);
  return found;
}
