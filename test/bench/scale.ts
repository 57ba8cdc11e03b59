// (g) Many sales at once: the real operator and a real API server; the pods are fake, and their databases never answer,
// so every sale goes on being looked at. How soon all is made, what a reconcile costs, what the operator holds and asks.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeObject } from '../../operator/kube/objects.ts';
import { RESOURCES } from '../../operator/kube/objects.ts';
import { startApiServer } from '../harness/apiserver.ts';
import { startFakeNodes } from '../harness/fake-nodes.ts';
import { freePort } from '../harness/ports.ts';
import { until } from '../harness/until.ts';
import { figure, type Result } from './result.ts';

const SALES = 500;
const REST_SECONDS = 60;
/** As the chart has it: 65 % of the container's 512 MiB. */
const HEAP = '--max-old-space-size=333';
const ROOT = join(import.meta.dirname, '..', '..');

export async function scale(): Promise<Result[]> {
  const api = await startApiServer();
  const folder = mkdtempSync(join(tmpdir(), 'flashsale-scale-'));
  const client = api.connect({ qps: 1000, burst: 1000 });
  const nodes = startFakeNodes(api.connect({ qps: 1000, burst: 1000 }));
  let operator: ChildProcess | undefined;
  try {
    await api.kubectl(['apply', '-f', join(ROOT, 'crds', 'flashsale.yaml')]);
    const namespace = await api.namespace();
    await until('the resource to be served', () =>
      client.list(RESOURCES.FlashSale).then(
        () => true,
        () => false,
      ),
    );
    const port = await freePort();
    const settings = join(folder, 'operator.yaml');
    writeFileSync(
      settings,
      `images: {flashsale: f, redis: r, postgres: p}
kafka: {bootstrapServers: ["127.0.0.1:9"]}
networkPolicies: {enabled: true}
metrics: {listen: "127.0.0.1:${port}"}
`,
    );
    operator = spawn(
      process.execPath,
      [HEAP, join(ROOT, 'operator', 'reconcile', 'main.ts'), '--config', settings, '--kubeconfig', api.kubeconfig],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    const metrics = async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => undefined);
      return answer ? new Samples(await answer.text()) : undefined;
    };
    await until('the operator to serve', metrics);

    const began = performance.now();
    for (let n = 0; n < SALES; n += 20)
      await Promise.all(Array.from({ length: 20 }, (_, i) => client.create(saleObject(namespace, n + i))));
    for (let sparse = 0; ; sparse++) {
      // Seldom, for to be asked costs the operator something, too.
      await sleep(2000);
      const now = await metrics();
      const made = now?.count('flashsale_sale_condition', 'status="False"', 'type="Ready"') ?? 0;
      const pods = now?.sum('flashsale_kube_objects', 'kind="Pod"') ?? 0;
      const queued = now?.sum('flashsale_operator_queue_length') ?? 0;
      const reconciles = now?.sum('flashsale_operator_reconcile_seconds_count') ?? 0;
      const seconds = (performance.now() - began) / 1000;
      if (sparse % 5 === 0)
        process.stderr.write(
          `  ${seconds.toFixed(0)} s: ${made} sales made, ${pods} pods, ${queued} sales queued, ${reconciles} reconciles\n`,
        );
      if (made === SALES && pods >= 4 * SALES && queued === 0) break;
      if (seconds > 600) throw new Error('the operator did not get through its queue in ten minutes');
    }
    const took = (performance.now() - began) / 1000;

    await sleep(30_000);
    const before = await metrics();
    await sleep(REST_SECONDS * 1000);
    const after = await metrics();
    const asked = (...methods: string[]) =>
      methods.reduce(
        (total, method) =>
          total +
          (after?.sum('flashsale_kube_requests_total', `method="${method}"`) ?? 0) -
          (before?.sum('flashsale_kube_requests_total', `method="${method}"`) ?? 0),
        0,
      );
    const status = readFileSync(`/proc/${operator.pid}/status`, 'utf8');
    return [
      figure(`${SALES} sales at once: from the first create to a drained queue`, 's', took),
      figure(
        'a reconcile of one sale, p99',
        's',
        after?.quantile('flashsale_operator_reconcile_seconds', 0.99) ?? NaN,
        1,
      ),
      figure(
        `operator memory with ${SALES} sales, at most`,
        'MiB',
        Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024,
        512,
      ),
      figure('writes a minute at rest', 'requests', asked('POST', 'PUT', 'PATCH', 'DELETE'), 0),
      figure('reads a minute at rest, watches begun again included', 'requests', asked('GET')),
    ];
  } finally {
    operator?.kill('SIGKILL');
    await nodes.stop();
    await api.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const saleObject = (namespace: string, n: number): KubeObject => ({
  apiVersion: RESOURCES.FlashSale.apiVersion,
  kind: 'FlashSale',
  metadata: { name: `sale-${n}`, namespace },
  spec: {
    sku: `SKU-${n}`,
    stock: 1000,
    cache: { nodes: 1 },
    shards: { count: 1 },
    storefront: { replicas: 1 },
    auth: { trustedHeader: { name: 'X-Buyer-Id', insecure: true } },
  },
});

/** Prometheus' text form, as far as it is looked at here. */
class Samples {
  readonly #lines: string[];

  constructor(text: string) {
    this.#lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  }

  #of(name: string, labels: string[]): number[] {
    return this.#lines
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .filter((line) => labels.every((label) => line.includes(label)))
      .map((line) => Number(line.slice(line.lastIndexOf(' ') + 1)));
  }

  sum(name: string, ...labels: string[]): number {
    return this.#of(name, labels).reduce((total, value) => total + value, 0);
  }

  /** Samples that are 1. */
  count(name: string, ...labels: string[]): number {
    return this.#of(name, labels).filter((value) => value === 1).length;
  }

  /** The upper bound of the bucket it falls into. */
  quantile(name: string, share: number): number {
    const total = this.sum(`${name}_count`);
    const bounds = this.#lines
      .filter((line) => line.startsWith(`${name}_bucket{`))
      .map((line) => ({
        bound: Number((/le="([^"]+)"/.exec(line)?.[1] ?? '').replace('+Inf', 'Infinity')),
        count: Number(line.slice(line.lastIndexOf(' ') + 1)),
      }))
      .sort((a, b) => a.bound - b.bound);
    return bounds.find(({ count }) => count >= share * total)?.bound ?? Number.NaN;
  }
}
