// The operator as a process: --config FILE. Stands by until it holds the Lease, then leads; ends when it loses it, so
// that nobody acts on what it only remembers. Serves metrics and health always, the console where it is switched on.

import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { parseArgs } from 'node:util';
import { KubeConfig } from '@kubernetes/client-node';
import { serveHealth } from '../../dataplane/runtime/health.ts';
import { makeLogger } from '../../dataplane/runtime/log.ts';
import { startConsole } from '../console/server.ts';
import { connectKube } from '../kube/client.ts';
import { recorder } from '../kube/events.ts';
import { elect } from '../kube/lease.ts';
import { kubeMetrics } from '../kube/metrics.ts';
import { ownPod } from '../kube/role.ts';
import { keepRoleLabel } from '../kube/role-label.ts';
import { consoleSource } from './console-source.ts';
import { Controller } from './controller.ts';
import { operatorMetrics } from './metrics.ts';
import { readSettings, type Settings } from './settings.ts';

const HELP = `flashsale operator --config FILE [--kubeconfig FILE]

  --config FILE       the operator's configuration (see the chart's values)
  --kubeconfig FILE   which cluster; in a pod, the one it runs in
`;

function fail(message: string): never {
  for (const line of message.split('\n')) process.stderr.write(`flashsale operator: ${line}\n`);
  process.exit(2);
}

function commandLine(): { settings: Settings; kubeConfig: KubeConfig } {
  try {
    const { values } = parseArgs({
      options: { config: { type: 'string' }, kubeconfig: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    });
    if (values.help) {
      process.stdout.write(HELP);
      process.exit(0);
    }
    if (values.config === undefined) throw new Error('it needs --config FILE; see --help');
    const kubeConfig = new KubeConfig();
    if (values.kubeconfig !== undefined) kubeConfig.loadFromFile(values.kubeconfig);
    else kubeConfig.loadFromDefault();
    return { settings: readSettings(values.config), kubeConfig };
  } catch (error) {
    fail((error as Error).message);
  }
}

const { settings, kubeConfig } = commandLine();
process.env.FLASHSALE_LOG_LEVEL ??= settings.logLevel;
const log = makeLogger('operator', {});
// Two processes of one name must not take each other's lease for their own.
const identity = `${process.env.POD_NAME ?? hostname()}_${randomBytes(4).toString('hex')}`;
let controller: Controller | undefined;
const metrics = operatorMetrics({
  sales: () => controller?.sales() ?? [],
  queueLength: () => controller?.queueLength ?? 0,
});
const kube = kubeMetrics([metrics.registry]);
const client = connectKube(kubeConfig, { userAgent: 'flashsale-operator', metrics: kube });
const pod = ownPod(process.env);
// Before anything is served: the console's Service must not find one that only led before it restarted.
const roleLabel = pod && (await keepRoleLabel({ client, pod, log }));
const events = recorder(client, { component: 'flashsale-operator', instance: identity, log });
const health = { metrics: metrics.text, contentType: metrics.contentType, ready: () => undefined };
const server = await serveHealth(health, settings.metrics).catch((error: Error) => fail(error.message));
const leaseName = settings.election ? `${settings.election.namespace}/${settings.election.name}` : 'none';
const console_ = settings.console
  ? await startConsole({ source: consoleSource(() => controller, leaseName), ...settings.console, log })
  : undefined;

const lead = () => {
  log.info({ identity }, 'leads');
  roleLabel?.lead();
  metrics.leads(true);
  controller = new Controller({
    client,
    events,
    options: settings.sales,
    metrics,
    reflectors: kube,
    log,
  });
};
// The Lease has a client of its own: a renewal must not wait behind everything else that is asked of the API server.
const leaseClient =
  settings.election &&
  connectKube(kubeConfig, { userAgent: 'flashsale-operator', timeout: settings.election.renewDeadline / 2 });
const election =
  settings.election && leaseClient
    ? elect({
        ...{ client: leaseClient, identity, lead, log },
        ...{ namespace: settings.election.namespace, name: settings.election.name, timing: settings.election },
        // Whoever leads now must not be disturbed by what this one still has under way.
        lost: (reason) => {
          log.fatal({ reason }, 'leads no more');
          process.exit(1);
        },
      })
    : undefined;
if (!election) lead();

let stopping = false;
const stop = async (signal: NodeJS.Signals) => {
  if (stopping) return;
  stopping = true;
  log.info({ signal }, 'stopping');
  // The next leader begins when the Lease is free: first end, then let go.
  for (const step of [
    console_?.stop,
    roleLabel?.stop,
    controller && (() => controller?.stop()),
    events.flush,
    election?.stop,
    leaseClient?.close,
    client.close,
  ])
    await Promise.resolve(step?.()).catch((error: unknown) => log.warn({ err: error }, 'a step of stopping failed'));
  server.close();
  process.exit(0);
};
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
