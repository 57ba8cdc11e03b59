// The chart as Helm renders it: golden files for several sets of values, what the operator is allowed to do, what its pods
// may do, and what a person is told who writes a value wrongly. Change a golden file on purpose with `vitest run -u`.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { chartFiles } from '../../hack/lib/generate/chart/files.ts';
import { plainFile, plainManifests } from '../../hack/lib/generate/chart/plain.ts';
import { sectionsOf } from '../../hack/lib/generate/chart/values.ts';
import type { KubeObject } from '../../operator/kube/objects.ts';
import { rolePatch } from '../../operator/kube/role.ts';
import { parseSettings, type Settings } from '../../operator/reconcile/settings.ts';
import { CHART, helm, render, template } from '../harness/helm.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const read = (file: string) => readFileSync(join(CHART, file), 'utf8');

const everything = {
  replicas: 3,
  image: { repository: 'registry.example.com/flashsale', digest: `sha256:${'0'.repeat(64)}`, pullPolicy: 'Always' },
  imagePullSecrets: ['registry'],
  logLevel: 'debug',
  podLabels: { team: 'shop' },
  podAnnotations: { note: 'ours' },
  nodeSelector: { disk: 'ssd' },
  tolerations: [{ key: 'sales', operator: 'Exists' }],
  affinity: { nodeAffinity: {} },
  topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'rack', whenUnsatisfiable: 'DoNotSchedule' }],
  priorityClassName: 'high',
  serviceAccount: { annotations: { role: 'operator' } },
  networkPolicy: {
    metricsFrom: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
    consoleFrom: [{ ipBlock: { cidr: '10.0.0.0/8' } }],
  },
  console: { enabled: true, auth: { secret: 'console' } },
  sales: {
    imagePullSecrets: ['registry'],
    kafka: {
      bootstrapServers: ['kafka-0.example.com:9092', 'kafka-1.example.com:9092'],
      replicationFactor: 3,
      plaintextPasswords: ['kafka-0.kafka.svc:9092'],
    },
    resources: { storefront: { requests: { cpu: 1 }, limits: { cpu: 2, memory: '512Mi' } } },
    nodeSelector: { disk: 'ssd' },
    tolerations: [{ key: 'sales', operator: 'Exists', effect: 'NoSchedule' }],
    topologySpread: false,
    annotations: { note: 'ours' },
    priorityClassName: 'high',
    limits: { sale: { shards: 8, storage: '1Ti' }, namespace: { sales: 3 } },
  },
  monitoring: { enabled: true, labels: { release: 'prometheus' }, alerts: { disabled: ['FlashSaleShortage'] } },
  dashboards: { enabled: true, annotations: { grafana_folder: 'Sales' }, namespace: 'monitoring' },
  kafka: { enabled: true, storage: { size: '2Gi', storageClassName: 'fast' } },
};

const SETS: Record<string, object> = {
  default: {},
  namespaced: { watchNamespaces: ['shop', 'outlet'], monitoring: { enabled: true } },
  evaluation: { kafka: { enabled: true }, console: { enabled: true, auth: { kind: 'none' } } },
  everything,
  minimal: {
    replicas: 1,
    crds: { install: false },
    rbac: { create: false },
    serviceAccount: { create: false, name: 'mine' },
    networkPolicy: { enabled: false },
    sales: { networkPolicies: false, kafka: { bootstrapServers: ['kafka:9092'] } },
  },
};
const sets = Object.entries(SETS);
const of = (objects: KubeObject[], kind: string) => objects.filter((object) => object.kind === kind);

/** What has tests of its own is named only, so that a golden file changes when the chart does. */
function forReading(object: KubeObject): unknown {
  const { kind, metadata } = object;
  if (kind === 'CustomResourceDefinition') return { kind, metadata, spec: 'as in crds/flashsale.yaml' };
  if (kind === 'PrometheusRule')
    return {
      kind,
      metadata,
      spec: (object.spec as PrometheusRules).groups.map(({ name, rules }) => ({
        [name]: rules.map(({ alert, record }) => alert ?? record),
      })),
    };
  if (kind === 'ConfigMap' && metadata.name.includes('-dashboard-'))
    return { kind, metadata, data: Object.keys(object.data as object) };
  return object;
}

interface PrometheusRules {
  groups: { name: string; rules: { alert?: string; record?: string; annotations?: Record<string, string> }[] }[];
}

test('Helm finds nothing wrong with it', () => {
  const { code, out, err } = helm(['lint', '--strict', CHART], everything);
  expect(err + out).not.toMatch(/\[(?:ERROR|WARNING)\]/);
  expect(code).toBe(0);
});

test.each(sets)('renders with values: %s', async (name, values) => {
  const text = render(values)
    .map((object) => stringify(forReading(object), { lineWidth: 0, aliasDuplicateObjects: false }))
    .join('---\n');
  await expect(text).toMatchFileSnapshot(join(ROOT, `test/golden/chart/${name}.yaml`));
});

test('everything but what belongs to the cluster or to a watched namespace is in the namespace of the release', () => {
  for (const object of render(SETS.namespaced)) {
    if (/^(?:CustomResourceDefinition|Namespace)$|^Cluster/.test(object.kind)) continue;
    expect(['flashsale-system', 'shop', 'outlet'], object.metadata.name).toContain(object.metadata.namespace);
  }
});

describe('the FlashSale resource', () => {
  test('is the one of the repository, and kept when the chart goes', () => {
    const [crd] = of(render({}), 'CustomResourceDefinition');
    const wanted = parse(readFileSync(join(ROOT, 'crds/flashsale.yaml'), 'utf8'), { maxAliasCount: -1 }) as KubeObject;
    expect(crd?.spec).toEqual(wanted.spec);
    expect(crd?.metadata.name).toBe(wanted.metadata.name);
    expect(crd?.metadata.annotations).toEqual({ 'helm.sh/resource-policy': 'keep' });
  });

  test('may go with the chart, or be somebody else’s', () => {
    const [crd] = of(render({ crds: { keep: false } }), 'CustomResourceDefinition');
    expect(crd?.metadata.annotations).toEqual({});
    expect(of(render({ crds: { install: false } }), 'CustomResourceDefinition')).toEqual([]);
  });
});

describe('the operator may do', () => {
  interface Rule {
    apiGroups: string[];
    resources: string[];
    resourceNames?: string[];
    verbs: string[];
  }
  const rulesOf = ({ rules }: KubeObject) => rules as Rule[];
  const flat = (rules: Rule[]) =>
    Object.fromEntries(
      rules.flatMap(({ apiGroups, resources, resourceNames, verbs }) =>
        apiGroups.flatMap((group) =>
          resources.map((resource) => [
            `${resource}${group && `.${group}`}${resourceNames ? `/${resourceNames}` : ''}`,
            verbs.join(' '),
          ]),
        ),
      ),
    );
  const ALL = 'get list watch create patch update delete';
  const ALLOWED = {
    'flashsales.flashsale.dev': 'get list watch patch update',
    'flashsales/status.flashsale.dev': 'patch update',
    'flashsales/finalizers.flashsale.dev': 'patch update',
    secrets: ALL,
    configmaps: ALL,
    services: ALL,
    'statefulsets.apps': ALL,
    'deployments.apps': ALL,
    'poddisruptionbudgets.policy': ALL,
    'horizontalpodautoscalers.autoscaling': ALL,
    'networkpolicies.networking.k8s.io': ALL,
    pods: 'get list watch patch',
    'events.events.k8s.io': 'list create patch',
  };

  test('exactly this, in all namespaces', () => {
    const role = of(render({}), 'ClusterRole').find(({ metadata }) => metadata.name === 'flashsale-operator');
    expect(role && flat(rulesOf(role))).toEqual(ALLOWED);
  });

  test('exactly this in the watched namespaces, and nothing elsewhere', () => {
    const objects = render(SETS.namespaced);
    expect(objects.filter(({ kind }) => kind.startsWith('Cluster'))).toEqual([]);
    const roles = of(objects, 'Role').filter(({ metadata }) => !metadata.name.endsWith('-leader'));
    expect(roles.map(({ metadata }) => metadata.namespace)).toEqual(['shop', 'outlet']);
    for (const role of roles) expect(flat(rulesOf(role))).toEqual(ALLOWED);
  });

  test('in its own namespace: hold its lease and no other one, and label its pods', () => {
    const role = of(render({}), 'Role').find(({ metadata }) => metadata.name.endsWith('-leader'));
    expect(role && flat(rulesOf(role))).toEqual({
      'leases.coordination.k8s.io': 'create',
      'leases.coordination.k8s.io/flashsale-operator': 'get update',
      pods: 'patch',
    });
  });

  test.each(sets)('nothing by a wildcard, and nothing inside a pod: %s', (_, values) => {
    for (const role of render(values).filter(({ kind }) => /Role$/.test(kind)))
      for (const rule of rulesOf(role)) {
        expect([...rule.apiGroups, ...rule.resources, ...rule.verbs]).not.toContain('*');
        expect(rule.resources).not.toContain('pods/exec');
        expect(rule.verbs).not.toContain('escalate');
      }
  });
});

describe('the configuration that the operator reads', () => {
  const settingsWith = (values: object): Settings => {
    const config = of(render(values), 'ConfigMap').find(({ metadata }) => metadata.name === 'flashsale-operator');
    const data = config?.data as Record<string, string> | undefined;
    return parseSettings('operator.yaml', data?.['operator.yaml'] ?? '');
  };

  test.each(sets)('is one that it understands: %s', (_, values) => {
    const { election, metrics } = settingsWith(values);
    expect(election).toMatchObject({ namespace: 'flashsale-system', name: 'flashsale-operator' });
    expect(metrics.port).toBe(9090);
  });

  test('says what the values say', () => {
    const { sales, console, logLevel } = settingsWith(everything);
    expect(logLevel).toBe('debug');
    expect(console).toMatchObject({ listen: { port: 8081 }, auth: { kind: 'basic', user: 'flashsale' } });
    expect(sales).toMatchObject({
      images: {
        flashsale: `registry.example.com/flashsale@sha256:${'0'.repeat(64)}`,
        redis: 'docker.io/library/redis:8',
      },
      imagePullSecrets: ['registry'],
      kafka: { bootstrapServers: everything.sales.kafka.bootstrapServers, replicationFactor: 3 },
      pods: {
        nodeSelector: { disk: 'ssd' },
        topologySpread: false,
        resources: { storefront: { requests: { cpu: '1' }, limits: { cpu: '2', memory: '512Mi' } } },
      },
      networkPolicies: { enabled: true, operatorNamespace: 'flashsale-system' },
      tenants: {
        plaintextKafka: ['kafka-0.kafka.svc:9092'],
        limits: { sale: { shards: 8, cacheNodes: 0, storage: '1Ti' }, namespace: { sales: 3, shards: 0, storage: '' } },
      },
    });
  });

  test('names the Kafka of the release unless another one is named', () => {
    expect(settingsWith({}).sales.kafka).toBeUndefined();
    expect(settingsWith(SETS.evaluation ?? {}).sales.kafka).toEqual({
      bootstrapServers: ['flashsale-operator-kafka.flashsale-system.svc:9092'],
      replicationFactor: 1,
    });
    expect(settingsWith(everything).sales.kafka?.bootstrapServers).toEqual(everything.sales.kafka.bootstrapServers);
  });
});

describe('the Services', () => {
  const services = (values: object) =>
    of(render(values), 'Service')
      .filter(({ metadata }) => !metadata.name.endsWith('-kafka'))
      .map(({ metadata, spec }) => ({ metadata, ...(spec as { selector: Labels; ports: { name: string }[] }) }));
  type Labels = Record<string, string>;
  const [all, leader] = services(everything);
  const pods = of(render(everything), 'Deployment')[0]?.spec as {
    selector: { matchLabels: Labels };
    template: { metadata: { labels: Labels } };
  };

  test('that of metrics reaches every pod of the operator', () => {
    expect(all?.ports.map(({ name }) => name)).toEqual(['metrics']);
    expect(all?.selector).toEqual(pods.selector.matchLabels);
  });

  test('that of the console reaches only the pod that leads, which no pod does when it is made', () => {
    expect(leader?.ports.map(({ name }) => name)).toEqual(['console']);
    const said = (rolePatch('leader') as { metadata: { labels: Labels } }).metadata.labels;
    expect(leader?.selector).toEqual({ ...pods.selector.matchLabels, ...said });
    for (const label of Object.keys(said)) expect(pods.template.metadata.labels).not.toHaveProperty([label]);
  });

  test('that of the console is there when the console is, and is not read for metrics', () => {
    expect(services({}).map(({ metadata }) => metadata.name)).toEqual(['flashsale-operator']);
    const monitor = of(render(everything), 'ServiceMonitor')[0]?.spec as { selector: { matchLabels: Labels } };
    const { matchLabels } = monitor.selector;
    expect(all?.metadata.labels).toMatchObject(matchLabels);
    expect(leader?.metadata.labels).not.toMatchObject(matchLabels);
  });
});

test.each(sets)('no secret is among what is rendered: %s', (_, values) => {
  expect(of(render(values), 'Secret')).toEqual([]);
});

describe('monitoring', () => {
  const objects = render(everything);

  test('the dashboards are those of the folder', () => {
    const maps = of(objects, 'ConfigMap').filter(({ metadata }) => metadata.name.includes('-dashboard-'));
    expect(maps.map(({ metadata }) => metadata.labels?.grafana_dashboard)).toEqual(['1', '1', '1']);
    const data = Object.assign({}, ...maps.map((map) => map.data as object)) as Record<string, string>;
    for (const name of ['sale', 'balancer', 'fleet'])
      expect(JSON.parse(data[`flashsale-${name}.json`] ?? '')).toEqual(JSON.parse(read(`dashboards/${name}.json`)));
  });

  test('the alerts are those of the folder, without the disabled ones, and link to where they should', () => {
    const groupsOf = (values: object) =>
      (of(render(values), 'PrometheusRule')[0]?.spec as PrometheusRules | undefined)?.groups ?? [];
    const alerts = ['operator', 'sale', 'stock'].flatMap(
      (name) => (parse(read(`alerts/${name}.yaml`)) as PrometheusRules).groups,
    );
    expect(groupsOf({ monitoring: { enabled: true } })).toEqual(alerts);
    const names = groupsOf(everything).flatMap(({ rules }) => rules.flatMap(({ alert }) => alert ?? []));
    expect(names).not.toContain('FlashSaleShortage');
    const elsewhere = groupsOf({ monitoring: { enabled: true, alerts: { runbooks: 'https://wiki.example.com/' } } });
    for (const { rules } of elsewhere)
      for (const { alert, annotations } of rules)
        if (alert) expect(annotations?.runbook_url).toBe(`https://wiki.example.com/${alert}.md`);
  });
});

describe('a wrong value is refused by', () => {
  const MISTAKES: [mistake: string, values: object, says: string][] = [
    ['a name that is no value', { replica: 1 }, "additional properties 'replica' not allowed"],
    ['a text for a number', { replicas: '2' }, "'/replicas': got string, want integer"],
    ['a text for a list', { watchNamespaces: 'shop' }, "'/watchNamespaces': got string, want array"],
    ['a namespace twice', { watchNamespaces: ['shop', 'shop'] }, "'/watchNamespaces': items at 0 and 1 are equal"],
    ['a namespace with capitals', { watchNamespaces: ['Shop'] }, "'/watchNamespaces/0': 'Shop' does not match"],
    ['a tag that YAML takes for a number', { image: { tag: 1.1 } }, "'/image/tag': got number, want string"],
    ['an image name with spaces', { kafka: { image: 'my kafka' } }, "'/kafka/image': 'my kafka' does not match"],
    [
      'a broker without its port',
      { sales: { kafka: { bootstrapServers: ['kafka'] } } },
      "'/sales/kafka/bootstrapServers/0'",
    ],
    ['one broker that is no list', { sales: { kafka: { bootstrapServers: 'kafka:9092' } } }, 'got string, want array'],
    ['an unknown log level', { logLevel: 'verbose' }, "must be one of 'trace', 'debug', 'info', 'warn', 'error'"],
    ['a misspelt container', { sales: { resources: { store: {} } } }, "additional properties 'store' not allowed"],
    ['request for requests', { resources: { request: {} } }, "additional properties 'request' not allowed"],
    [
      'memory with a unit there is not',
      { resources: { limits: { memory: '1GB' } } },
      "'/resources/limits/memory': '1GB' does not match",
    ],
    ['a disk in decimal units', { kafka: { storage: { size: '2GB' } } }, "'/kafka/storage/size': '2GB' does not match"],
    ['a number as a node selector', { nodeSelector: { size: 4 } }, "'/nodeSelector/size': got number, want string"],
    ['an interval without a unit', { monitoring: { interval: '5' } }, "'/monitoring/interval': '5' does not match"],
    ['an alert that cannot be', { monitoring: { alerts: { disabled: ['shortage'] } } }, "'shortage' does not match"],
    [
      'a console without a password to ask for',
      { console: { enabled: true } },
      'console.enabled needs console.auth.secret',
    ],
    [
      'a Secret as an object',
      { imagePullSecrets: [{ name: 'registry' }] },
      "'/imagePullSecrets/0': got object, want string",
    ],
  ];
  it.each(MISTAKES)('saying so: %s', (_, values, says) => {
    const { code, err } = template(values);
    expect(code).not.toBe(0);
    expect(err).toContain(says);
  });
});

describe('what the chart says of itself', () => {
  interface Schema {
    properties?: Record<string, Schema>;
    additionalProperties?: unknown;
    $ref?: string;
  }
  const schema = JSON.parse(read('values.schema.json')) as Schema & { $defs: Record<string, Schema> };
  const values = sectionsOf(read('values.yaml')).flatMap((section) => section.values);

  test('every value has a meaning', () => {
    expect(values.filter(({ meaning }) => !/^[A-Z`…].*\.$/.test(meaning)).map(({ path }) => path)).toEqual([]);
  });

  test('the schema has every value, and no other', () => {
    const paths = (node: unknown, at: string): string[] =>
      typeof node === 'object' && node !== null && !Array.isArray(node) && !values.some(({ path }) => path === at)
        ? Object.entries(node).flatMap(([name, child]) => paths(child, at === '' ? name : `${at}.${name}`))
        : [at];
    const inSchema = (node: Schema, at: string): string[] =>
      node.properties !== undefined && !values.some(({ path }) => path === at)
        ? Object.entries(node.properties).flatMap(([name, child]) =>
            inSchema(child, at === '' ? name : `${at}.${name}`),
          )
        : [at];
    const ofSchema = inSchema(schema, '').filter((path) => path !== 'global');
    expect(ofSchema.sort()).toEqual(paths(parse(read('values.yaml')), '').sort());
  });

  test('copies and tables are current', () => {
    for (const [path, content] of Object.entries(chartFiles()))
      expect(readFileSync(join(ROOT, path), 'utf8'), path).toBe(content);
  });

  test('the plain manifests are what the chart renders; if not: hack/generate', () => {
    expect(plainFile()).toBe(plainManifests(process.env.FLASHSALE_HELM ?? ''));
  });

  test('its version is the program’s', () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect(parse(read('Chart.yaml'))).toMatchObject({ version, appVersion: version });
  });
});

describe('the notes say what to do next', () => {
  const notes = (values: object) =>
    helm(['install', 'flashsale-operator', CHART, '--namespace', 'flashsale-system', '--dry-run=client'], values).out;

  test('name a Kafka, where there is none', () => {
    expect(notes({})).toContain('sales.kafka.bootstrapServers={');
  });
  test('where to start a sale, when only some namespaces are watched', () => {
    expect(notes(SETS.namespaced ?? {})).toContain('namespace: shop}');
  });
  test('how to open the console, when it is on', () => {
    expect(notes(SETS.evaluation ?? {})).toContain('port-forward service/flashsale-operator-console 8081');
  });
});
