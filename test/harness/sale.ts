// A whole sale for a test: the local driver's own code in this process, real servers and roles below it, everything
// in a temporary folder. Processes can be killed, held down, frozen and robbed of their data. Whoever starts a sale
// stops it; what a cut-off test run left behind is cleared away by the next one.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { stringify } from 'yaml';
import { databaseSecret, type SaleConfig } from '../../dataplane/protocol/config.ts';
import type { Millis } from '../../dataplane/protocol/units.ts';
import { secretsIn } from '../../dataplane/runtime/config.ts';
import type { Failpoint } from '../../dataplane/runtime/failpoint.ts';
import { connectOperatorRegistry } from '../../dataplane/stores/registry/postgres.ts';
import type { RegistryView } from '../../dataplane/stores/registry/registry.ts';
import type { FlashSaleInput, FlashSaleSpecInput } from '../../operator/api/flashsale.gen.ts';
import { dataFolder } from '../../operator/local/data-folder.ts';
import { stopOrphans } from '../../operator/local/fleet.ts';
import { alive, type Identity, identify, signal } from '../../operator/local/identity.ts';
import type { ProcessReport } from '../../operator/local/process.ts';
import { KAFKA, POSTGRES } from '../../operator/local/processes.ts';
import type { SaleReport } from '../../operator/local/report.ts';
import { Supervisor } from '../../operator/local/supervisor.ts';
import { SUPERUSER_SECRET } from '../../operator/topology/postgres-settings.ts';
import { makeFirstData } from './first-data.ts';
import { startKafka, type TestKafka } from './kafka.ts';
import { until } from './until.ts';

/** Fields of spec; what is left out is as below. One level deep: `cache: {nodes: 1}` replaces the whole of `cache`. */
export type SpecPatch = Partial<FlashSaleSpecInput>;

const SPEC: FlashSaleSpecInput = {
  sku: 'TEST-1',
  stock: 100,
  cache: { nodes: 2 },
  shards: { count: 2 },
  storefront: { replicas: 1 },
  token: { ttl: '5s' },
  // With tokens so short, buyers who are only slow let some lapse.
  qualification: { reservations: { maxLapsed: 1000 } },
  auth: { trustedHeader: { name: 'X-Buyer-Id', insecure: true } },
};

export interface SaleOptions {
  /** False: `failAt` does nothing, and costs nothing. */
  failpoints?: boolean;
  /** Kept afterwards, and found again by a later sale in it. Absent: a folder of its own, removed by `stop`. */
  dir?: string;
  /** `shared`: one Kafka for every sale of this test file, which starts faster. Default: the sale's own. */
  kafka?: 'own' | 'shared';
  /** For the roles' environment. */
  env?: Record<string, string>;
  /** Serve the console: see `report().addresses.console`. */
  console?: boolean;
  /** Resolve at once, not when everything is ready. */
  wait?: boolean;
}

export interface TestProcesses {
  list(): ProcessReport[];
  /** Dies on the spot. The supervisor starts it again; resolves when the old one is gone. */
  kill9(name: string): Promise<void>;
  /** Ends in order (`hard`: on the spot) and stays away until `start`. */
  stop(name: string, options?: { hard?: boolean }): Promise<void>;
  /** Takes `stop` back; resolves when it is ready. */
  start(name: string): Promise<void>;
  /** Frozen: it holds its connections and answers nothing. */
  freeze(name: string): void;
  thaw(name: string): void;
  /** The data of a process that is stopped: `redis-c0`, `kafka`. */
  wipe(name: string): void;
  ready(name: string): Promise<void>;
  /** What it wrote. */
  log(name: string): string;
}

export interface TestSale {
  /** As the roles read it now. */
  readonly config: SaleConfig;
  folder: string;
  /** The folder of secrets, and one of them. */
  secrets: string;
  secret(name: string): string;
  storefrontUrls(): string[];
  processes: TestProcesses;
  /** The whole spec anew, patched over the last one. Resolves when it is so (`wait: false`: when it is accepted). */
  apply(patch: SpecPatch, options?: { wait?: boolean }): Promise<void>;
  report(): Promise<SaleReport>;
  registry(): Promise<RegistryView>;
  /** The process that next reaches the place dies there. Roles as they name themselves: `storefront`, `cache-agent`, … */
  failAt(role: string, id: string | undefined, point: Failpoint): void;
  /** Whether a process died there since `failAt`. */
  failed(role: string, id: string | undefined, point: Failpoint): boolean;
  stop(): Promise<void>;
}

const PREFIX = 'flashsale-sale-';
const DEADLINE: Millis = 120_000;

export async function startSale(patch: SpecPatch | string = {}, options: SaleOptions = {}): Promise<TestSale> {
  await clearLeftovers();
  const home = options.dir ?? mkdtempSync(join(tmpdir(), PREFIX));
  const folder = join(home, 'data');
  const paths = dataFolder(folder);
  const points = join(home, 'failpoints');
  mkdirSync(points, { recursive: true });
  if (options.dir === undefined) {
    // As if the driver had made them: it makes what is missing.
    mkdirSync(paths.admin, { recursive: true });
    writeFileSync(join(paths.admin, SUPERUSER_SECRET), makeFirstData(paths.postgres), { mode: 0o600 });
  }
  const supervisor = Supervisor.open(folder, {
    log: pino({ level: process.env.FLASHSALE_LOG_LEVEL ?? 'silent' }),
    env: { ...(options.failpoints === false ? {} : { FLASHSALE_FAILPOINTS: points }), ...options.env },
  });
  writeFileSync(join(home, OWNER), JSON.stringify(identify(process.pid)));
  const brokers = options.kafka === 'shared' ? [(await sharedKafka()).broker] : undefined;
  let spec: FlashSaleSpecInput = SPEC;

  const settled = async () => {
    let report: SaleReport | undefined;
    try {
      await until(
        'the sale',
        async () => {
          report = await supervisor.report();
          return report.settled;
        },
        DEADLINE,
      );
    } catch {
      throw new Error(`the sale in ${folder} is still waiting for: ${report?.waitingFor}`);
    }
  };
  const apply = async (text: string, wait: boolean) => {
    await supervisor.apply(text, { source: 'sale.yaml', ...(options.console ? { console: {} } : {}) });
    if (wait) await settled();
  };
  const yamlOf = (fields: SpecPatch) => {
    spec = { ...spec, ...fields };
    const kafka = brokers ? { kafka: { bootstrapServers: brokers, ...spec.kafka } } : {};
    const sale: FlashSaleInput = {
      apiVersion: 'flashsale.dev/v1alpha1',
      kind: 'FlashSale',
      metadata: { name: nameOf(home) },
      spec: { ...spec, ...kafka },
    };
    return stringify(sale);
  };
  const processes = processesOf(supervisor);
  const stop = async () => {
    // A sale whose folder goes needs no end in order, which takes seconds. Kafka and PostgreSQL end in order all the
    // same: the supervisor still talks to the one, and a killed server leaves shared memory behind.
    const killed = supervisor.fleet.names().filter((name) => name !== KAFKA && name !== POSTGRES);
    if (options.dir === undefined) await Promise.all(killed.map((name) => processes.stop(name, { hard: true })));
    await supervisor.stop();
    if (options.dir === undefined) rmSync(home, { recursive: true, force: true });
    else rmSync(join(home, OWNER), { force: true });
  };
  const config = (): SaleConfig => {
    if (!supervisor.config) throw new Error('the sale has no configuration yet');
    return supervisor.config;
  };
  const pointFile = (role: string, id: string | undefined, point: Failpoint) =>
    join(points, [role, ...(id === undefined ? [] : [id]), point].join('.'));

  try {
    await apply(typeof patch === 'string' ? patch : yamlOf(patch), options.wait ?? true);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    get config() {
      return config();
    },
    folder,
    secrets: paths.secrets,
    secret: secretsIn(paths.secrets),
    storefrontUrls: () =>
      supervisor.fleet
        .reports()
        .flatMap(({ name, address }) => (name.startsWith('storefront-') && address ? [address] : [])),
    processes,
    apply: (fields, { wait = true } = {}) => apply(yamlOf(fields), wait),
    report: () => supervisor.report(),
    async registry() {
      const { pool } = config();
      const registry = connectOperatorRegistry(pool, secretsIn(paths.secrets)(databaseSecret('operator')), {});
      try {
        return await until('the registry to answer', () => registry.read().catch(() => undefined));
      } finally {
        await registry.close();
      }
    },
    failAt: (role, id, point) => writeFileSync(pointFile(role, id, point), ''),
    failed: (role, id, point) => !readdirSync(points).includes([role, ...(id ? [id] : []), point].join('.')),
    stop,
  };
}

function processesOf({ fleet, folder }: Supervisor): TestProcesses {
  const find = (name: string) => {
    const process = fleet.get(name);
    if (!process) throw new Error(`there is no process ${name}; there are ${fleet.names().join(', ')}`);
    return process;
  };
  const running = (name: string): Identity => {
    const { identity } = find(name);
    if (!identity) throw new Error(`${name} does not run`);
    return identity;
  };
  const gone = async (identity: Identity) => {
    while (alive(identity)) await sleep(10);
  };
  return {
    list: () => fleet.reports(),
    async kill9(name) {
      const identity = running(name);
      const process = find(name);
      signal(identity, 'SIGKILL');
      await gone(identity);
      // Until the supervisor has seen it too, so that `ready` means the next one.
      while (process.identity?.pid === identity.pid) await sleep(10);
    },
    async stop(name, { hard = false } = {}) {
      const identity = find(name).identity;
      const held = fleet.hold(name);
      if (hard && identity) signal(identity, 'SIGKILL');
      await held;
    },
    async start(name) {
      fleet.release(name);
      await find(name).whenReady(AbortSignal.timeout(DEADLINE));
    },
    freeze: (name) => void signal(running(name), 'SIGSTOP'),
    thaw: (name) => void signal(running(name), 'SIGCONT'),
    wipe(name) {
      if (find(name).identity) throw new Error(`${name} still runs`);
      const node = /^redis-(c\d+)$/.exec(name)?.[1];
      const data = node ? folder.redis(node) : name === 'kafka' ? join(folder.kafka, 'data') : undefined;
      if (!data) throw new Error(`only cache nodes and Kafka may lose their data, not ${name}`);
      rmSync(data, { recursive: true, force: true });
    },
    ready: (name) => find(name).whenReady(AbortSignal.timeout(DEADLINE)),
    log: (name) => readFileSync(join(folder.logs, `${name}.log`), 'utf8'),
  };
}

/** Names the sale and so its topics: on a shared Kafka no two folders share one. */
const nameOf = (folder: string): string => `t-${Buffer.from(folder).toString('hex').slice(-32)}`;

let kafka: Promise<TestKafka> | undefined;

/** One per test file; `stopSharedKafka` in its `afterAll`. */
export function sharedKafka(): Promise<TestKafka> {
  kafka ??= startKafka();
  return kafka;
}

export async function stopSharedKafka(): Promise<void> {
  const started = kafka;
  kafka = undefined;
  await (await started)?.destroy();
}

const OWNER = 'owner.json';
let cleared: Promise<void> | undefined;

/** Sales whose test process is gone: their processes end, their folders go. */
function clearLeftovers(): Promise<void> {
  cleared ??= (async () => {
    for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(PREFIX))) {
      const folder = join(tmpdir(), name);
      let owner: Identity | undefined;
      try {
        owner = JSON.parse(readFileSync(join(folder, OWNER), 'utf8')) as Identity;
      } catch {
        continue;
      }
      if (alive(owner)) continue;
      await stopOrphans(dataFolder(join(folder, 'data')));
      rmSync(folder, { recursive: true, force: true });
    }
  })();
  return cleared;
}
