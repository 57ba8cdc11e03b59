// The console of a sale on this machine: what the supervisor knows of it, served on loopback while somebody wants it.

import type { Millis } from '../../dataplane/protocol/units.ts';
import { secretsIn } from '../../dataplane/runtime/config.ts';
import { audit } from '../audit/audit.ts';
import { trafficReader } from '../console/read-traffic.ts';
import { type RunningConsole, startConsole } from '../console/server.ts';
import { type SaleKnowledge, snapshotOf, summaryOf } from '../console/snapshot.ts';
import type { SaleSource } from '../console/source.ts';
import { fullName } from './edit.ts';
import { HOST } from './ports.ts';
import type { SaleReport } from './report.ts';
import type { Site } from './site.ts';

/** How a person asks for it: `off`, or on, on a port of their choice or on any. */
export type ConsoleWish = 'off' | { port?: number };

const CONSOLE = 'console';
/** An audit gives a running sale so long to settle what is under way. */
const AUDIT_TIMEOUT: Millis = 10_000;

export class LocalConsole {
  readonly #site: Site;
  readonly #source: SaleSource;
  #running: { served: RunningConsole; port: number } | undefined;

  constructor(site: Site, report: () => Promise<SaleReport>) {
    this.#site = site;
    this.#source = sourceOf(site, report);
  }

  get url(): string | undefined {
    return this.#running?.served.url;
  }

  /** Serves the console as wished. Throws `UserError` when the port is somebody else's; then nothing has changed. */
  async be(wish: ConsoleWish): Promise<void> {
    if (wish === 'off') return this.stop();
    if (this.#running && (wish.port ?? this.#running.port) === this.#running.port) return;
    const { ports, log } = this.#site;
    await ports.claim(CONSOLE, wish.port, '--console');
    const port = await ports.choose(CONSOLE);
    const served = await startConsole({
      source: this.#source,
      listen: { host: HOST, port },
      auth: { kind: 'none' },
      log,
    });
    await this.stop();
    this.#running = { served, port };
  }

  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.served.stop();
  }
}

function sourceOf(site: Site, report: () => Promise<SaleReport>): SaleSource {
  const traffic = trafficReader();
  const look = async (): Promise<{ known: SaleKnowledge; report: SaleReport } | undefined> => {
    const now = await report();
    const sale = site.state?.sale;
    if (!sale) return undefined;
    const { status, waitingFor } = now;
    return { report: now, known: { sale, status, waitingFor, table: site.view.table, openSince: servingSince(now) } };
  };
  return {
    async list() {
      const seen = await look();
      return seen ? [summaryOf(seen.known)] : [];
    },
    async snapshot(key) {
      const sale = site.state?.sale;
      if (!sale || key !== fullName(sale)) return undefined;
      const seen = await look();
      return (
        seen &&
        snapshotOf({ ...seen.known, traffic: await traffic.read(metricsOfStorefronts(seen.report)) }, Date.now())
      );
    },
    async audit(key) {
      const sale = () => {
        if (!site.config) throw new Error(`there is nothing to audit of ${key} yet`);
        return { config: site.config, secret: secretsIn(site.folder.secrets) };
      };
      return audit(sale, { timeout: AUDIT_TIMEOUT });
    },
  };
}

const metricsOfStorefronts = ({ addresses }: SaleReport): string[] =>
  Object.entries(addresses.metrics).flatMap(([name, url]) => (name.startsWith('storefront-') ? [url] : []));

function servingSince({ processes }: SaleReport): Millis | undefined {
  const since = processes.flatMap(({ name, readyAt }) => (name.startsWith('storefront-') && readyAt ? [readyAt] : []));
  return since.length > 0 ? Math.min(...since) : undefined;
}
