// kubectl flashsale status: how sales of a cluster stand.

import { Command } from 'commander';
import { UserError } from '../../../dataplane/runtime/user-error.ts';
import type { FlashSale } from '../../api/flashsale.gen.ts';
import { type Cluster, withCluster } from '../../cli/cluster.ts';
import { isForbidden } from '../../cli/kube-errors.ts';
import { print, printJson } from '../../cli/output.ts';
import { findSale, listSales } from '../../cli/sales.ts';
import { RESOURCES } from '../../kube/objects.ts';
import { examples, type ListOptions, takesSales } from '../options.ts';
import { type PodReport, podReports } from '../pods.ts';
import { salesTable, saleText, whatFor } from '../sale-text.ts';

export const statusCommand = (): Command =>
  takesSales(new Command('status'))
    .description('show where a sale stands: phase, conditions, stock, every node, shard and pod; or one line for each')
    .addHelpText('after', examples('status', 'status phone-launch', 'status -A -o json'))
    .action((name: string | undefined, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<ListOptions>();
      return withCluster(options, (cluster) =>
        name === undefined ? all(cluster, options) : one(cluster, name, options),
      );
    });

async function one(cluster: Cluster, name: string, { output }: ListOptions): Promise<void> {
  const sale = await findSale(cluster, name);
  const pods = await podsOf(cluster, sale);
  if (output === 'json') printJson(reportOf(sale, pods));
  else print(saleText(sale, pods, Date.now()));
}

async function all(cluster: Cluster, { output, allNamespaces = false }: ListOptions): Promise<void> {
  const sales = await listSales(cluster.client, allNamespaces ? undefined : cluster.namespace);
  if (output === 'json') {
    const reports = sales.map(async (sale) => reportOf(sale, await podsOf(cluster, sale)));
    return printJson({ sales: await Promise.all(reports) });
  }
  const [only] = sales;
  if (only === undefined)
    throw new UserError(
      allNamespaces
        ? 'there is no sale in this cluster'
        : `there is no sale in namespace ${cluster.namespace}; see -n and -A`,
    );
  if (sales.length === 1) print(saleText(only, await podsOf(cluster, only), Date.now()));
  else print(salesTable(sales, allNamespaces));
}

function reportOf(sale: FlashSale, pods: PodReport[] | undefined) {
  const { namespace, name, generation } = sale.metadata;
  const waitingFor = whatFor(sale);
  return {
    namespace,
    name,
    generation,
    ...(waitingFor === undefined ? {} : { waitingFor }),
    spec: sale.spec,
    status: sale.status ?? {},
    ...(pods ? { pods } : {}),
  };
}

/** Returns undefined when this user may not see the pods. */
async function podsOf({ client }: Cluster, { metadata }: FlashSale): Promise<PodReport[] | undefined> {
  try {
    const labelSelector = `flashsale.dev/sale=${metadata.name}`;
    const { items } = await client.list(RESOURCES.Pod, { namespace: metadata.namespace, labelSelector });
    return podReports(items);
  } catch (error) {
    if (isForbidden(error)) return undefined;
    throw error;
  }
}
