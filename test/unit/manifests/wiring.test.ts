// What refers to what: selectors, volumes, ports, names; and what an edit of the sale may and may not touch.

import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { type KubeObject, resourceOf } from '../../../operator/kube/objects.ts';
import { selectorText } from '../../../operator/manifests/objects.ts';
import { placeInCluster } from '../../../operator/manifests/placement.ts';
import { PATHS } from '../../../operator/manifests/places.ts';
import { saleConfig } from '../../../operator/topology/placement.ts';
import { buildTopology } from '../../../operator/topology/topology.ts';
import { busyOptions, inputFor, load, named, objectsOf, options, SALES, saleOf } from '../../harness/manifests.ts';

type Labels = Record<string, string>;
interface Port {
  name?: string;
  port?: number;
  targetPort?: string;
  containerPort?: number;
}
interface Container {
  name: string;
  args?: string[];
  command?: string[];
  ports?: Port[];
  volumeMounts: { name: string; mountPath: string; subPath?: string }[];
  [field: string]: unknown;
}
interface Keyed {
  name?: string;
  secretName?: string;
  items?: { key: string; path: string }[];
}
interface Pod {
  containers: Container[];
  initContainers?: Container[];
  volumes: { name: string; secret?: Keyed; configMap?: Keyed; projected?: { sources: { configMap: Keyed }[] } }[];
  terminationGracePeriodSeconds: number;
}
interface Spec {
  replicas?: number;
  selector: { matchLabels: Labels } & Labels;
  podSelector?: { matchLabels: Labels };
  template: { metadata: { labels: Labels; annotations: Labels }; spec: Pod };
  ports: Port[];
  serviceName?: string;
  volumeClaimTemplates?: { metadata: { name: string } }[];
  [field: string]: unknown;
}

const specOf = (object: KubeObject) => object.spec as Spec;
const ofKind = (objects: KubeObject[], ...kinds: string[]) => objects.filter(({ kind }) => kinds.includes(kind));
const workloads = (objects: KubeObject[]) => ofKind(objects, 'StatefulSet', 'Deployment');
const containersOf = ({ containers, initContainers = [] }: Pod) => [...initContainers, ...containers];
const within = (wanted: Labels, labels: Labels) =>
  Object.entries(wanted).every(([name, value]) => labels[name] === value);

describe.each(Object.entries(SALES))('%s', (name, file) => {
  const input = inputFor(load(file), { options: name === 'full' ? busyOptions : options });
  const objects = objectsOf(load(file), input);
  const templates = workloads(objects).map((object) => specOf(object).template);

  test('is the same byte for byte when it is made again', () => {
    expect(JSON.stringify(objectsOf(load(file), input))).toBe(JSON.stringify(objects));
  });

  test('every object is of a kind the operator watches, bears the labels, and goes with the sale', () => {
    for (const object of objects) {
      expect(() => resourceOf(object)).not.toThrow();
      expect(object.metadata.labels).toMatchObject({
        'app.kubernetes.io/name': 'flashsale',
        'app.kubernetes.io/instance': input.topology.name,
        'app.kubernetes.io/managed-by': 'flashsale-operator',
        'flashsale.dev/sale': input.topology.name,
      });
      const owners = object.metadata.ownerReferences?.map(({ uid }) => uid);
      const kept = object.metadata.name.endsWith('-secrets') && input.topology.retain;
      expect(owners).toEqual(kept ? undefined : [input.sale.metadata.uid]);
    }
  });

  test('every selector finds the pods of one workload', () => {
    for (const object of ofKind(
      objects,
      'Service',
      'StatefulSet',
      'Deployment',
      'PodDisruptionBudget',
      'NetworkPolicy',
    )) {
      const { selector, podSelector } = specOf(object);
      const wanted = podSelector?.matchLabels ?? selector.matchLabels ?? selector;
      const component = object.metadata.labels?.['app.kubernetes.io/component'];
      expect(Object.keys(wanted).length).toBeGreaterThan(0);
      expect(
        templates
          .filter(({ metadata }) => within(wanted, metadata.labels))
          .map(({ metadata }) => metadata.labels['app.kubernetes.io/component']),
      ).toEqual([component]);
    }
  });

  test('every volume that is mounted is there, and every volume that is there is mounted', () => {
    for (const object of workloads(objects)) {
      const { template, volumeClaimTemplates = [] } = specOf(object);
      const mounted = containersOf(template.spec).flatMap(({ volumeMounts }) =>
        volumeMounts.map((mount) => mount.name),
      );
      const there = [
        ...template.spec.volumes.map((volume) => volume.name),
        ...volumeClaimTemplates.map(({ metadata }) => metadata.name),
      ];
      expect(new Set(mounted)).toEqual(new Set(there));
    }
  });

  test('every key that is mounted is in its object', () => {
    for (const { spec } of templates)
      for (const { secret, configMap } of spec.volumes) {
        if (secret) {
          const { data } = named(objects, 'Secret', secret.secretName ?? '');
          expect(Object.keys(data as Labels)).toEqual(
            expect.arrayContaining((secret.items ?? []).map(({ key }) => key)),
          );
        }
        if (configMap) expect(named(objects, 'ConfigMap', configMap.name ?? '').data).toHaveProperty(['sale.json']);
      }
  });

  test('no file is mounted on its own: pods would not see an edit of it', () => {
    const mounts = templates.flatMap(({ spec }) => containersOf(spec)).flatMap(({ volumeMounts }) => volumeMounts);
    expect(mounts.filter(({ subPath }) => subPath !== undefined)).toEqual([]);
  });

  test('every port of a Service is a port of its pods, by name', () => {
    for (const service of ofKind(objects, 'Service')) {
      const { selector, ports } = specOf(service);
      const pods = templates.filter(({ metadata }) => within(selector, metadata.labels));
      const served = pods.flatMap(({ spec }) => spec.containers.flatMap((container) => container.ports ?? []));
      for (const { targetPort } of ports) expect(served.map((port) => port.name)).toContain(targetPort);
    }
  });

  test('no two containers of a pod share a port, and probes ask for ports that are there', () => {
    for (const { spec } of templates) {
      const ports = spec.containers.flatMap((container) => container.ports ?? []);
      expect(new Set(ports.map(({ containerPort }) => containerPort)).size).toBe(ports.length);
      for (const container of spec.containers) {
        const asked = stringify([container.startupProbe, container.readinessProbe, container.livenessProbe]);
        for (const [, port = ''] of asked.matchAll(/port: (\w+)/g))
          expect(container.ports?.map((served) => served.name)).toContain(port);
      }
    }
  });

  test('every host of the configuration is the name of a pod that a headless Service gives', () => {
    const hosts = workloads(objects).flatMap((object) => {
      const { serviceName, replicas = 0 } = specOf(object);
      if (serviceName === undefined) return [];
      const service = named(objects, 'Service', serviceName);
      expect(specOf(service)).toMatchObject({ clusterIP: 'None', publishNotReadyAddresses: true });
      return Array.from(
        { length: replicas },
        (_, n) => `${object.metadata.name}-${n}.${serviceName}.${object.metadata.namespace}.svc`,
      );
    });
    const { cache, shards, pool } = input.config;
    const told = [...cache.nodes, ...shards, pool, pool.agent].map(({ host }) => host);
    expect(new Set(told)).toEqual(new Set(hosts));
  });

  test('the lists the storefronts are told of are the files that are mounted', () => {
    const { allow, deny } = input.config.qualification;
    const told = [...(allow?.files ?? []), ...(deny?.files ?? [])];
    const { spec } = specOf(named(objects, 'Deployment', `${input.topology.name}-storefront`)).template;
    const sources = spec.volumes.find((volume) => volume.name === 'lists')?.projected?.sources ?? [];
    const mounted = sources
      .flatMap(({ configMap }) => configMap.items ?? [])
      .map(({ path }) => `${PATHS.lists}/${path}`);
    expect(mounted).toEqual(told);
  });
});

test('every name fits DNS for the longest name and the largest sale there may be', () => {
  const sale = saleOf(
    { cache: { nodes: 64 }, shards: { count: 256 }, storefront: { replicas: 1, autoscaling: { maxReplicas: 200 } } },
    { name: `a${'-'.repeat(38)}z` },
  );
  const objects = objectsOf(sale, { cachePods: 128 });
  const label = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;
  for (const object of objects) {
    expect(object.metadata.name).toMatch(label);
    for (const value of Object.values(object.metadata.labels ?? {}))
      expect(value).toMatch(/^[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?$/);
    const { replicas = 0, serviceName } = (object.spec ?? {}) as Partial<Spec>;
    if (serviceName === undefined) continue;
    expect(`${object.metadata.name}-${replicas - 1}`).toMatch(label);
    // The label that names a pod's revision adds eleven characters to the set's name.
    expect(object.metadata.name.length + 11).toBeLessThanOrEqual(63);
    expect(`data-${object.metadata.name}-${replicas - 1}`.length).toBeLessThanOrEqual(63);
  }
});

test('a sale that was never applied owns nothing', () => {
  const input = inputFor(saleOf());
  const { uid: _, ...metadata } = input.sale.metadata;
  const objects = objectsOf(saleOf(), { ...input, sale: { ...input.sale, metadata } });
  expect(objects.filter(({ metadata }) => metadata.ownerReferences !== undefined)).toEqual([]);
});

test('a secret that is missing is a mistake of the caller, and is named', () => {
  expect(() => objectsOf(saleOf(), { secrets: new Map() })).toThrow(/the secret [-\w]+ was not given/);
});

describe('deletionPolicy', () => {
  const claims = (policy: string) =>
    ofKind(objectsOf(saleOf({ deletionPolicy: policy })), 'StatefulSet').map(
      (object) => specOf(object).persistentVolumeClaimRetentionPolicy,
    );

  test('Retain: volumes and the secrets they need outlive the sale', () => {
    expect(new Set(claims('Retain').map((policy) => stringify(policy)))).toEqual(
      new Set([stringify({ whenDeleted: 'Retain', whenScaled: 'Retain' })]),
    );
    expect(named(objectsOf(saleOf()), 'Secret', 'phone-secrets').metadata.ownerReferences).toBeUndefined();
  });

  test('Delete: volumes and secrets go with it, and no volume before', () => {
    for (const policy of claims('Delete')) expect(policy).toEqual({ whenDeleted: 'Delete', whenScaled: 'Retain' });
    const secrets = named(objectsOf(saleOf({ deletionPolicy: 'Delete' })), 'Secret', 'phone-secrets');
    expect(secrets.metadata.ownerReferences).toHaveLength(1);
  });
});

describe('what an edit replaces', () => {
  const templatesOf = (spec: Record<string, unknown>, patch = {}) =>
    Object.fromEntries(
      workloads(objectsOf(saleOf(spec), patch)).map((object) => [
        object.metadata.name.replace('phone-', ''),
        JSON.stringify(specOf(object).template),
      ]),
    );
  const before = templatesOf({});
  const replaced = (spec: Record<string, unknown>, patch = {}) => {
    const after = templatesOf(spec, patch);
    return Object.keys(before).filter((workload) => before[workload] !== after[workload]);
  };

  test.each<[string, Record<string, unknown>, object, string[]]>([
    ['stock, window, rules and limits: no pod', { stock: 5, paused: true, qualification: { perBuyer: 3 } }, {}, []],
    ['more shards and cache nodes: no pod', { cache: { nodes: 5 }, shards: { count: 9 } }, { cachePods: 5 }, []],
    ['more storefronts: no pod', { storefront: { replicas: 40 } }, {}, []],
    ['durability: the cache nodes', { cache: { nodes: 2, durability: 'EverySecond' } }, {}, ['cache']],
    [
      'resources of the shards: them and the pool',
      { shards: { count: 2, resources: { limits: { memory: '1Gi' } } } },
      {},
      ['shard', 'pool'],
    ],
    ['what is read only at start: every role', {}, { startedWith: 'x' }, ['cache', 'shard', 'pool', 'storefront']],
    [
      'a list of another ConfigMap: the storefronts',
      { qualification: { denyList: { configMapRefs: [{ name: 'x' }] } } },
      {},
      ['storefront'],
    ],
  ])('R33: %s', (_, spec, patch, expected) => {
    expect(replaced(spec, patch)).toEqual(expected);
  });

  test('an autoscaler owns the number of storefronts, from replicas up', () => {
    const objects = objectsOf(saleOf({ storefront: { replicas: 3, autoscaling: { maxReplicas: 9 } } }));
    expect(specOf(named(objects, 'Deployment', 'phone-storefront'))).not.toHaveProperty('replicas');
    expect(specOf(named(objects, 'HorizontalPodAutoscaler', 'phone-storefront'))).toMatchObject({
      minReplicas: 3,
      maxReplicas: 9,
      metrics: [{ resource: { target: { averageUtilization: 70 } } }],
    });
  });

  test('R33: a cache node that is leaving keeps its pod and its address', () => {
    const topology = buildTopology(saleOf());
    const config = saleConfig(topology, placeInCluster(topology, { cachePods: 4 }));
    expect(config.cache.nodes.map(({ id }) => id)).toEqual(['c0', 'c1', 'c2', 'c3']);
    const objects = objectsOf(saleOf(), { cachePods: 4 });
    expect(specOf(named(objects, 'StatefulSet', 'phone-cache')).replicas).toBe(4);
  });
});

describe('Kafka', () => {
  const kafkaOf = (spec: Record<string, unknown>, kafka?: typeof options.kafka) => {
    const topology = buildTopology(saleOf({ kafka: spec }));
    return saleConfig(topology, placeInCluster(topology, { cachePods: 2, ...(kafka ? { kafka } : {}) })).kafka;
  };

  test.each([
    ['the operator’s, for a sale that names none', {}, ['kafka.kafka.svc:9092'], 3],
    ['the operator’s, with as many copies as the sale wants', { replicationFactor: 2 }, ['kafka.kafka.svc:9092'], 2],
    ['the sale’s own', { bootstrapServers: ['b:1'] }, ['b:1'], -1],
    ['the sale’s own, with its copies', { bootstrapServers: ['b:1'], replicationFactor: 5 }, ['b:1'], 5],
  ])('is %s', (_, spec, brokers, replicationFactor) => {
    expect(kafkaOf(spec, options.kafka)).toMatchObject({ brokers, replicationFactor });
  });

  test('is nowhere when neither has one: a degraded reason to be told, not a broker made up', () => {
    expect(kafkaOf({}).brokers).toEqual([]);
  });
});

describe('PostgreSQL', () => {
  const commandOf = (spec: Record<string, unknown>) =>
    specOf(named(objectsOf(saleOf(spec)), 'StatefulSet', 'phone-shard')).template.spec.containers.find(
      ({ name }) => name === 'postgres',
    )?.command;

  test.each([
    ['128MB', {}],
    ['256MB', { limits: { memory: '1Gi' } }],
    ['512MB', { requests: { memory: '2Gi' } }],
    ['16MB', { limits: { memory: '32Mi' } }],
    ['238MB', { limits: { memory: 1_000_000_000 } }],
  ])('has shared buffers of %s with resources %j', (buffers, resources) => {
    expect(commandOf({ shards: { count: 2, resources } })).toContain(`shared_buffers=${buffers}`);
  });

  test('keeps every commit', () => {
    for (const setting of ['fsync=on', 'synchronous_commit=on', 'full_page_writes=on'])
      expect(commandOf({})).toContain(setting);
  });
});

describe('NetworkPolicies', () => {
  test('are not made when the operator was told so', () => {
    const without = { ...options, networkPolicies: { enabled: false, operatorNamespace: 'x' } };
    expect(ofKind(objectsOf(saleOf(), { options: without }), 'NetworkPolicy')).toEqual([]);
  });

  test('let in who works with a store, metrics from everywhere, and nobody else', () => {
    const rules = ofKind(objectsOf(saleOf()), 'NetworkPolicy').flatMap((policy) =>
      (specOf(policy).ingress as { from?: Record<string, { matchLabels: Labels }>[]; ports: Port[] }[]).map(
        ({ from, ports }) => [
          policy.metadata.name,
          ports.map(({ port }) => port).join(),
          from
            ?.map(
              ({ podSelector, namespaceSelector }) =>
                podSelector?.matchLabels['app.kubernetes.io/component'] ??
                namespaceSelector?.matchLabels['kubernetes.io/metadata.name'],
            )
            .join() ?? 'everyone',
        ],
      ),
    );
    expect(rules).toEqual([
      ['phone-cache', '6379', 'storefront,pool,flashsale-system'],
      ['phone-cache', '9090', 'everyone'],
      ['phone-shard', '5432', 'storefront,cache,shard,pool,flashsale-system'],
      ['phone-shard', '9090', 'everyone'],
      ['phone-pool', '5432', 'storefront,cache,shard,pool,flashsale-system'],
      ['phone-pool', '7070', 'storefront'],
      ['phone-pool', '9090', 'everyone'],
      ['phone-storefront', '8080', 'everyone'],
      ['phone-storefront', '9090', 'everyone'],
    ]);
  });
});

test('the selector of status finds the storefronts', () => {
  expect(selectorText({ name: 'phone' }, 'storefront')).toBe(
    'app.kubernetes.io/name=flashsale,app.kubernetes.io/instance=phone,app.kubernetes.io/component=storefront',
  );
});
