// What every process of the data plane does alike: parse its arguments, serve metrics and health on a port of its
// own, and stop in order when asked to. `kill -9` is always allowed: nothing here is needed for safety.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { parseArgs } from 'node:util';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Address, SaleConfig } from '../protocol/config.ts';
import { readConfig, type Secret, secretsIn } from './config.ts';
import { type Logger, makeLogger } from './log.ts';

export interface Role {
  name: string;
  /** Which one of its kind, where the kind needs it (`c0`, `s1`, `pool`). */
  id: string | undefined;
  config: SaleConfig;
  configFile: string;
  secret: Secret;
  /** Where its own service listens (storefront: buyers; pool agent: refills), as told by --listen. */
  listen: Address | undefined;
  metrics: Registry;
  log: Logger;
  /** Readiness, asked by /ready: undefined = ready, a sentence = why not. */
  ready: () => string | undefined;
  /** Run on SIGTERM and SIGINT, last registered first, each awaited. */
  onStop: (step: () => Promise<void> | void) => void;
}

/** `host:port`, `[::1]:port` or `port` (then 127.0.0.1). */
function parseAddress(text: string): Address {
  const match = /^(?:(\[[^\]]+\]|[^:]+):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (!match || port > 65535)
    throw new Error(`"${text}" is not an address: write host:port, for example 127.0.0.1:8080`);
  return { host: (match[1] ?? '127.0.0.1').replace(/^\[|\]$/g, ''), port };
}

/** --config FILE --secrets FOLDER [--id ID] [--listen HOST:PORT] --metrics HOST:PORT */
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
  const server = await serveMetrics(role, parseAddress(values.metrics));
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

/** GET /metrics, /healthz (the event loop turns), /ready. */
function serveMetrics(role: Role, at: Address): Promise<Server> {
  const answer = (response: ServerResponse, status: number, type: string, body: string) => {
    response.writeHead(status, { 'content-type': type }).end(body);
  };
  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    if (request.url === '/metrics') answer(response, 200, role.metrics.contentType, await role.metrics.metrics());
    else if (request.url === '/healthz') answer(response, 200, 'text/plain', 'ok\n');
    else if (request.url === '/ready') {
      const reason = role.ready();
      answer(response, reason === undefined ? 200 : 503, 'text/plain', `${reason ?? 'ready'}\n`);
    } else answer(response, 404, 'text/plain', 'not here: /metrics, /healthz or /ready\n');
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(at.port, at.host, () => resolve(server));
  });
}
