// Runs a role: one process of the data plane (a storefront, a cache agent, a shard agent, the balancer). Every role
// parses its arguments, serves metrics and health on a port of its own, and stops in order when asked to. `kill -9` is
// always allowed: nothing here is needed for safety. (A role of PostgreSQL is always called database role.)

import { parseArgs } from 'node:util';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Address, SaleConfig } from '../protocol/config.ts';
import { readConfig, type Secret, secretsIn } from './config.ts';
import { parseAddress, serveHealth } from './health.ts';
import { type Logger, makeLogger } from './log.ts';

export interface Role {
  name: string;
  /** Names this process among those of its role, where the role needs that (`c0`, `s1`, `pool`). */
  id: string | undefined;
  config: SaleConfig;
  configFile: string;
  secret: Secret;
  /** Where the process serves, as told by --listen: a storefront its buyers, the pool's agent refills. */
  listen: Address | undefined;
  metrics: Registry;
  log: Logger;
  /** Is asked by /ready: returns undefined when the process is ready, and otherwise a sentence that says why not. */
  ready: () => string | undefined;
  /** Registers a step to run on SIGTERM and SIGINT. The last registered runs first, and each is awaited. */
  onStop: (step: () => Promise<void> | void) => void;
}

/**
 * Runs the role `name` with the arguments --config FILE --secrets FOLDER [--id ID] [--listen HOST:PORT] --metrics
 * HOST:PORT.
 */
export async function runRole(name: string, argv: string[], main: (role: Role) => Promise<void>): Promise<void> {
  const { values } = parseArgs({
    args: argv,
    options: {
      config: { type: 'string' },
      secrets: { type: 'string' },
      id: { type: 'string' },
      listen: { type: 'string' },
      metrics: { type: 'string', default: '127.0.0.1:0' },
    },
  });
  if (!values.config || !values.secrets) throw new Error(`${name} needs --config FILE and --secrets FOLDER`);
  const log = makeLogger(name, values.id ? { id: values.id } : {});
  const metrics = new Registry();
  metrics.setDefaultLabels({ role: name, ...(values.id ? { id: values.id } : {}) });
  collectDefaultMetrics({ register: metrics });
  const steps: (() => Promise<void> | void)[] = [];
  const role: Role = {
    name,
    id: values.id,
    config: readConfig(values.config),
    configFile: values.config,
    secret: secretsIn(values.secrets),
    listen: values.listen ? parseAddress(values.listen) : undefined,
    metrics,
    log,
    ready: () => 'starting',
    onStop: (step) => steps.push(step),
  };
  const server = await serveHealth(
    { metrics: () => metrics.metrics(), contentType: metrics.contentType, ready: () => role.ready() },
    parseAddress(values.metrics),
  );
  let stopping = false;
  const stop = async (signal: NodeJS.Signals) => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping');
    for (const step of steps.reverse()) {
      try {
        await step();
      } catch (error) {
        log.warn({ err: error }, 'a step of stopping failed');
      }
    }
    server.close();
    process.exit(0);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  await main(role);
}
