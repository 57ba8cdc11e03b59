// flashsale installed on the cluster as its users do it: Helm for the operator, kubectl for sales, and a crowd that comes
// as a pod. Shared by the tests of this folder; each sale has a namespace of its own that enforces the restricted Pod
// Security Standard.

import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ConditionStatus, FlashSaleStatus } from '../../operator/api/flashsale.gen.ts';
import type { AuditReport } from '../../operator/audit/check.ts';
import type { KubeObject } from '../../operator/kube/objects.ts';
import type { LoadReport } from '../../operator/load/report.ts';
import { until } from '../harness/until.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..');
const PLUGIN = join(ROOT, 'hack', 'kubectl-flashsale');

export const SYSTEM = 'flashsale-system';
const OPERATOR = 'flashsale-operator';

/** Rejects with what kubectl said. */
export async function kubectl(args: string[], input?: string): Promise<string> {
  const running = run('kubectl', args, { maxBuffer: 64 * 1024 * 1024, timeout: 150_000 });
  if (input !== undefined) running.child.stdin?.end(input);
  try {
    return (await running).stdout;
  } catch (error) {
    const { stderr = '', message } = error as { stderr?: string; message: string };
    throw new Error(`kubectl ${args.join(' ')}: ${stderr.trim() || message}`);
  }
}

export const object = async <T = KubeObject>(...args: string[]): Promise<T> =>
  JSON.parse(await kubectl(['get', ...args, '-o', 'json'])) as T;

/** While an API server is away, nobody knows. */
export const calm = <T>(asked: Promise<T>): Promise<T | undefined> => asked.catch(() => undefined);

/** The names among `kubectl get`'s items. */
export async function names(...args: string[]): Promise<string[]> {
  const { items } = await object<{ items: KubeObject[] }>(...args);
  return items.map(({ metadata }) => metadata.name);
}

/** A program of the cluster itself, such as kube-apiserver or kubelet: ends it, or starts it again. */
export const component = (command: 'stop' | 'start', name: string): Promise<unknown> =>
  run(join(ROOT, 'hack', 'cluster'), [command, name]);

const VALUES = [
  'image.repository=localhost/flashsale',
  'image.tag=dev',
  'image.pullPolicy=Never',
  'sales.images.redis=localhost/redis:dev',
  'sales.images.postgres=localhost/postgres:dev',
  'sales.imagePullPolicy=Never',
  'kafka.enabled=true',
  'kafka.image=localhost/kafka:dev',
  'kafka.pullPolicy=Never',
];

const helm = (...args: string[]) =>
  run(process.env.FLASHSALE_HELM ?? 'helm', args, { timeout: 180_000, maxBuffer: 16 * 1024 * 1024 });

/** Installs the chart, or upgrades it with further values. */
export const install = (...values: string[]) =>
  helm(
    ...['upgrade', '--install', OPERATOR, join(ROOT, 'charts', 'flashsale-operator')],
    ...['--namespace', SYSTEM, '--create-namespace', '--wait', '--timeout', '150s'],
    ...[...VALUES, ...values].flatMap((value) => ['--set', value]),
  );

export const uninstall = () => helm('uninstall', OPERATOR, '--namespace', SYSTEM, '--wait', '--timeout', '120s');

export async function leader(): Promise<string> {
  const lease = await object('lease', OPERATOR, '-n', SYSTEM);
  const { holderIdentity = '' } = lease.spec as { holderIdentity?: string };
  // The pod's name, and what tells its process from the one before.
  return holderIdentity.split('_')[0] ?? '';
}

export interface SaleOptions {
  stock: number;
  caches?: number;
  shards?: number;
  replicas?: number;
  /** The most storefronts an autoscaler may make. */
  scalesTo?: number | undefined;
  storageClass?: string;
  /**
   * How long tokens live. Short by default, because every crowd ends with waiting for those that nobody came back for;
   * longer where so many buyers come at once that a busy machine answers them late: a checkout that is sent after its
   * token has ended makes its buyer begin again, and the crowd never ends.
   */
  ttl?: string;
  /** Further lines of the spec, in YAML. */
  more?: string;
}

export class Sale {
  readonly namespace: string;
  readonly name: string;
  #options: SaleOptions;
  #loads = 0;

  constructor(name: string, options: SaleOptions, namespace = `shop-${name}`) {
    this.name = name;
    this.namespace = namespace;
    this.#options = options;
  }

  get key(): string {
    return `${this.namespace}/${this.name}`;
  }

  yaml(): string {
    const {
      stock,
      caches = 3,
      shards = 4,
      replicas = 2,
      scalesTo,
      storageClass,
      ttl = '5s',
      more = '',
    } = this.#options;
    const autoscaling = scalesTo === undefined ? '' : `, autoscaling: {maxReplicas: ${scalesTo}}`;
    const storage = `{size: 1Gi${storageClass === undefined ? '' : `, storageClassName: ${storageClass}`}}`;
    return `apiVersion: flashsale.dev/v1alpha1
kind: FlashSale
metadata: {name: ${this.name}, namespace: ${this.namespace}}
spec:
  sku: TEST-1
  stock: ${stock}
  cache: {nodes: ${caches}, storage: ${storage}}
  shards: {count: ${shards}, storage: ${storage}}
  storefront: {replicas: ${replicas}${autoscaling}}
  token: {ttl: ${ttl}}
  auth: {trustedHeader: {name: X-Buyer-Id, insecure: true}}
${more.replace(/^/gm, '  ')}
`;
  }

  async makeNamespace(): Promise<void> {
    const namespace = {
      ...{ apiVersion: 'v1', kind: 'Namespace' },
      metadata: {
        name: this.namespace,
        labels: { 'pod-security.kubernetes.io/enforce': 'restricted', 'pod-security.kubernetes.io/warn': 'restricted' },
      },
    };
    await kubectl(['apply', '-f', '-'], JSON.stringify(namespace));
  }

  /** Makes the namespace and the sale, or edits it. */
  async apply(change: Partial<SaleOptions> = {}): Promise<void> {
    this.#options = { ...this.#options, ...change };
    await this.makeNamespace();
    await kubectl(['apply', '-f', '-'], this.yaml());
  }

  resource = (): Promise<KubeObject & { status?: FlashSaleStatus }> =>
    object('flashsale', this.name, '-n', this.namespace);

  async condition(type: string): Promise<ConditionStatus | undefined> {
    return (await this.resource()).status?.conditions?.find((condition) => condition.type === type);
  }

  /** As `kubectl wait` does it. */
  async becomes(type: string, status: string, seconds: number): Promise<void> {
    await kubectl([
      ...['wait', `--for=condition=${type}=${status}`, `fs/${this.name}`, '-n', this.namespace],
      `--timeout=${seconds}s`,
    ]);
  }

  /** Everything is as the resource says, and it says so of its newest edit. */
  settles = (milliseconds = 120_000): Promise<unknown> =>
    until(
      `${this.key} to settle`,
      async () => {
        const { metadata, status } = (await calm(this.resource())) ?? {};
        const is = (type: string) => status?.conditions?.find((condition) => condition.type === type)?.status;
        return (
          status?.observedGeneration === metadata?.generation &&
          is('Ready') === 'True' &&
          is('Progressing') === 'False' &&
          is('Degraded') === 'False'
        );
      },
      milliseconds,
    );

  /** An event has this in it. Events are written beside the status. */
  isToldOf = (text: string | RegExp): Promise<unknown> =>
    until(`an event of ${this.key} to say ${text}`, async () =>
      new RegExp(text).test(await kubectl(['get', 'events', '-n', this.namespace])),
    );

  /** The operator that leads now has told every part of this value of the chart's sales.annotations.rollout. */
  rolledOut = (value: string | undefined): Promise<unknown> =>
    until(
      `every part of ${this.key} to be of rollout ${value}`,
      async () => {
        const { items } = await object<{ items: KubeObject[] }>('statefulsets,deployments', '-n', this.namespace);
        return items.every(({ spec }) => {
          const { template } = spec as { template: { metadata: { annotations?: Record<string, string> } } };
          return template.metadata.annotations?.rollout === value;
        });
      },
      // A part is told when the one before it has been replaced, pod by pod.
      240_000,
    );

  /** A crowd that comes as a pod of the cluster; resolves with its report when the last buyer has left. */
  async crowd(...args: string[]): Promise<LoadReport> {
    const pod = `crowd-${this.name}-${++this.#loads}`;
    await kubectl(['delete', 'pod', pod, '-n', SYSTEM, '--ignore-not-found', '--now']);
    await kubectl(['apply', '-f', '-'], JSON.stringify(crowdPod(pod, this.key, args)));
    const phase = async () => {
      const found = await calm(object('pod', pod, '-n', SYSTEM));
      return (found?.status as { phase?: string } | undefined)?.phase;
    };
    await until(`${pod} to end`, async () => ['Succeeded', 'Failed'].includes((await phase()) ?? ''), 420_000);
    const said = await kubectl(['logs', pod, '-n', SYSTEM]);
    const start = said.indexOf('{\n');
    if (start < 0) throw new Error(`${pod} printed no report:\n${said}`);
    return JSON.parse(said.slice(start)) as LoadReport;
  }

  /** By the kubectl plugin, inside the cluster. */
  async audit(timeout = 20): Promise<AuditReport> {
    const args = ['audit', this.name, '-n', this.namespace, '--timeout', String(timeout), '-o', 'json'];
    const child = spawn(PLUGIN, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let [out, err] = ['', ''];
    child.stdout.on('data', (text) => {
      out += text;
    });
    child.stderr.on('data', (text) => {
      err += text;
    });
    await new Promise((resolve) => child.once('close', resolve));
    if (!out.trim().startsWith('{')) throw new Error(`kubectl flashsale audit: ${err || out}`);
    return JSON.parse(out) as AuditReport;
  }

  /** The pods of a component whose containers are all ready. `restarts`: of its containers together. */
  async serving(component: string): Promise<{ name: string; uid: string; restarts: number }[]> {
    const { items } = await object<{ items: KubeObject[] }>(
      ...['pods', '-n', this.namespace, '-l', `app.kubernetes.io/component=${component}`],
    );
    return items.flatMap(({ metadata, status }) => {
      const { containerStatuses = [] } = status as { containerStatuses?: { ready: boolean; restartCount: number }[] };
      const serves = containerStatuses.length > 0 && containerStatuses.every(({ ready }) => ready);
      if (!serves || metadata.deletionTimestamp !== undefined) return [];
      const restarts = containerStatuses.reduce((sum, { restartCount }) => sum + restartCount, 0);
      return [{ name: metadata.name, uid: metadata.uid ?? '', restarts }];
    });
  }

  /** Everything a person with read access sees of it, or the processes of its pods show; not the Secrets themselves. */
  async said(): Promise<string> {
    const inNamespace = ['-n', this.namespace];
    const said = [
      await kubectl(['get', 'fs,pods,configmaps,events,statefulsets,deployments', ...inNamespace, '-o', 'json']),
    ];
    for (const [namespace, filter] of [
      [this.namespace, `flashsale.dev/sale=${this.name}`],
      [SYSTEM, 'app.kubernetes.io/name=flashsale-operator'],
    ] as const) {
      const { items } = await object<{ items: KubeObject[] }>('pods', '-n', namespace, '-l', filter);
      for (const { metadata, spec } of items.filter((pod) => pod.metadata.deletionTimestamp === undefined)) {
        const { containers = [] } = spec as { containers?: { name: string }[] };
        for (const { name } of containers) {
          const at = [metadata.name, '-n', namespace, '-c', name];
          said.push(await kubectl(['logs', ...at]));
          if (namespace === this.namespace)
            said.push(
              await kubectl([
                'exec',
                ...at,
                '--',
                'sh',
                '-c',
                'for p in /proc/[0-9]*; do cat "$p/cmdline" 2>/dev/null; done; true',
              ]),
            );
        }
      }
    }
    return said.join('\n');
  }

  async destroy(): Promise<void> {
    await kubectl(['delete', 'fs', '--all', '-n', this.namespace, '--ignore-not-found', '--timeout=120s']).catch(
      () => undefined,
    );
    // No other sale has its name, so nobody waits for it to be gone.
    await kubectl(['delete', 'namespace', this.namespace, '--ignore-not-found', '--wait=false']);
  }
}

const crowdPod = (name: string, sale: string, args: string[]): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: SYSTEM },
  spec: {
    restartPolicy: 'Never',
    serviceAccountName: OPERATOR,
    automountServiceAccountToken: true,
    containers: [
      {
        ...{ name: 'crowd', image: 'localhost/flashsale:dev', imagePullPolicy: 'Never' },
        args: ['load', '--cluster', sale, '-o', 'json', ...args],
      },
    ],
  },
});
