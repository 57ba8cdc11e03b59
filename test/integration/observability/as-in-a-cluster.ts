// Makes a sale on this machine look to Prometheus like one in a cluster: the same jobs and labels on what its processes
// serve, what the operator would tell of it (its own code, fed with the sale's real status), and made-up figures of the
// kubelet, of which there is none here.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Gauge, Registry } from 'prom-client';
import type { FlashSale } from '../../../operator/api/flashsale.gen.ts';
import { loadFlashSale } from '../../../operator/api/load.ts';
import { kubeMetrics } from '../../../operator/kube/metrics.ts';
import type { SaleReport } from '../../../operator/local/report.ts';
import { operatorMetrics } from '../../../operator/reconcile/metrics.ts';
import type { Scrape } from '../../harness/prometheus.ts';

const OPERATOR = { job: 'flashsale-operator', namespace: 'flashsale-system', pod: 'flashsale-operator-0' };

/** What a PodMonitor and a ServiceMonitor of the chart would label each process' series with. */
export function scrapesOf({ namespace, name, addresses }: SaleReport): Scrape[] {
  return Object.entries(addresses.metrics).map(([process, url]) => {
    const address = new URL(url).host;
    if (process === 'balancer') {
      // In a cluster the operator serves it, labelled with the sale.
      const { job, ...operator } = OPERATOR;
      return { job, address, labels: { ...operator, sale_namespace: namespace, sale: name } };
    }
    const { component, pod } = placeOf(process);
    return { job: 'flashsale', address, labels: { namespace, sale: name, component, pod: `${name}-${pod}` } };
  });
}

function placeOf(process: string): { component: string; pod: string } {
  const [, role, letter, number = '0'] =
    /^(storefront|cache-agent|shard-agent|pool-agent)(-[cs]?)?(\d+)?$/.exec(process) ?? [];
  if (role === undefined) throw new Error(`nobody knows what ${process}${letter ?? ''} would be in a cluster`);
  const component = role.replace('-agent', '');
  return { component, pod: `${component}-${number}` };
}

export interface Exporter {
  scrape: Scrape;
  stop(): Promise<void>;
}

/** The operator's own metrics, of a sale whose status is asked for again and again, as the operator does. */
export async function serveOperator(spec: FlashSale['spec'], report: () => Promise<SaleReport>): Promise<Exporter> {
  let sale: FlashSale | undefined;
  const metrics = operatorMetrics({ sales: () => (sale ? [sale] : []), queueLength: () => 0 });
  const kube = kubeMetrics([metrics.registry]);
  kube.reflecting('FlashSale', () => ({ silent: 400, objects: 1 }));
  metrics.leads(true);
  const { job, ...labels } = OPERATOR;
  let stopped = false;
  const looking = (async () => {
    while (!stopped) {
      const began = performance.now();
      sale = saleOf(spec, await report());
      const took = performance.now() - began;
      metrics.reconciled('done', took);
      kube.requested('PATCH', 200, took);
      await sleep(500);
    }
  })();
  const exporter = await serve({ job, labels }, metrics.contentType, metrics.text);
  return {
    ...exporter,
    async stop() {
      stopped = true;
      await Promise.all([looking, exporter.stop()]);
    },
  };
}

function saleOf(spec: FlashSale['spec'], { namespace, name, status, settled }: SaleReport): FlashSale {
  const condition = (type: string, is: boolean) => ({
    type,
    status: is ? ('True' as const) : ('False' as const),
    lastTransitionTime: '2026-01-01T00:00:00Z',
    reason: 'Test',
    message: 'As the local driver says.',
  });
  return {
    apiVersion: 'flashsale.dev/v1alpha1',
    kind: 'FlashSale',
    metadata: { namespace, name },
    spec,
    status: { ...status, conditions: [condition('Ready', settled), condition('Degraded', false)] },
  };
}

/** With its defaults. */
export function specOf(yaml: string): FlashSale['spec'] {
  const loaded = loadFlashSale(yaml, { source: 'sale.yaml' });
  if (!loaded.ok) throw new Error('the sale is not valid');
  return loaded.sale.spec;
}

/** Volumes half full, and stores that use a tenth of a core. */
export async function serveKubelet({ namespace, name }: SaleReport): Promise<Exporter> {
  const registry = new Registry();
  const registers = [registry];
  const volume = (metric: string, bytes: number) =>
    new Gauge({
      name: `kubelet_volume_stats_${metric}_bytes`,
      help: '…',
      labelNames: ['namespace', 'persistentvolumeclaim'],
      registers,
    }).set({ namespace, persistentvolumeclaim: `data-${name}-shard-0` }, bytes);
  volume('available', 5e9);
  volume('capacity', 1e10);
  const cpu = new Gauge({
    name: 'container_cpu_usage_seconds_total',
    help: '…',
    labelNames: ['namespace', 'pod', 'container'],
    registers,
  });
  return serve({ job: 'kubelet', labels: {} }, registry.contentType, () => {
    cpu.set({ namespace, pod: `${name}-shard-0`, container: 'postgres' }, performance.now() / 10_000);
    return registry.metrics();
  });
}

async function serve(
  { job, labels }: Pick<Scrape, 'job' | 'labels'>,
  contentType: string,
  text: () => Promise<string>,
): Promise<Exporter> {
  const server: Server = createServer((_, response) => {
    text().then(
      (body) => response.writeHead(200, { 'content-type': contentType }).end(body),
      (error: Error) => response.writeHead(500).end(error.message),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    scrape: { job, labels, address: `127.0.0.1:${port}` },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
