// How a sale on this machine stands: what `flashsale status` shows and `-o json` prints. Pure: readings in, one
// document out.

import type { ResourceTable } from '../../dataplane/protocol/table.ts';
import type { Millis, NodeId, StockHolderId } from '../../dataplane/protocol/units.ts';
import type { RegistryView } from '../../dataplane/stores/registry/registry.ts';
import type { FlashSale, FlashSaleStatus } from '../api/flashsale.gen.ts';
import { undelivered } from '../sale/supply.ts';
import { figures } from '../topology/status.ts';
import type { Topology } from '../topology/topology.ts';
import type { DataFolder } from './data-folder.ts';
import { HOST } from './ports.ts';
import type { ProcessReport } from './process.ts';
import { METRICS } from './processes.ts';

export interface SaleReport {
  namespace: string;
  name: string;
  /** Everything is as the resource says. */
  settled: boolean;
  /** Otherwise: what is still going on, or in the way. */
  waitingFor?: string;
  addresses: {
    storefronts: string[];
    metrics: Record<string, string>;
    /** The sale's page on the console, where that is served. */
    console?: string;
  };
  folder: string;
  logs: string;
  status: FlashSaleStatus;
  processes: ProcessReport[];
}

export interface ReportInput {
  folder: DataFolder;
  ports: Readonly<Record<string, number>>;
  sale: FlashSale | undefined;
  plan: { topology: Topology } | undefined;
  processes: ProcessReport[];
  registry: RegistryView | undefined;
  table: ResourceTable | undefined;
  /** The address of the console; absent: it is not served. */
  console: string | undefined;
  /** What the sale waits for, in a few words; undefined: everything is as the resource says. */
  waiting: string | undefined;
}

export function saleReport(input: ReportInput, now: Millis): SaleReport {
  const { folder, ports, sale, plan, processes, table } = input;
  const ready = new Set(processes.filter(({ phase }) => phase === 'ready').map(({ name }) => name));
  const waitingFor = whatFor(input, ready);
  const readyIds = <T extends string>(prefix: string) =>
    new Set([...ready].filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length) as T));
  const urls = (names: string[]) => names.flatMap((name) => (ports[name] ? [`http://${HOST}:${ports[name]}`] : []));
  return {
    namespace: sale?.metadata.namespace ?? '',
    name: sale?.metadata.name ?? '',
    settled: waitingFor === undefined,
    ...(waitingFor === undefined ? {} : { waitingFor }),
    addresses: {
      storefronts: urls(processes.map(({ name }) => name).filter((name) => name.startsWith('storefront-'))),
      metrics: Object.fromEntries(
        processes.flatMap(({ name }) => urls([name + METRICS]).map((url) => [name, `${url}/metrics`])),
      ),
      ...(input.console && sale ? { console: pageOf(input.console, sale) } : {}),
    },
    folder: folder.path,
    logs: folder.logs,
    status: plan
      ? figures(
          plan.topology,
          {
            registry: input.registry,
            table,
            readyCaches: readyIds<NodeId>('cache-agent-'),
            readyShards: new Set<StockHolderId>([
              ...readyIds<StockHolderId>('shard-agent-'),
              ...(ready.has('pool-agent') ? (['pool'] as const) : []),
            ]),
            readyStorefronts: readyIds('storefront-').size,
          },
          now,
        )
      : {},
    processes,
  };
}

const pageOf = (console: string, { metadata }: FlashSale): string =>
  `${console}/sales/${metadata.namespace}/${metadata.name}`;

function inWords({ title, reason, died }: ProcessReport): string {
  const why = died ?? reason;
  return why === undefined ? title : `${title} (${why})`;
}

/** Names what the sale waits for, in the order in which one thing waits for another. */
function whatFor({ processes, waiting, registry, table }: ReportInput, ready: ReadonlySet<string>): string | undefined {
  const late = processes.filter(({ name }) => !ready.has(name));
  if (late.length > 0) return late.map(inWords).join(', ');
  if (waiting !== undefined) return waiting;
  return undelivered(registry, table);
}
