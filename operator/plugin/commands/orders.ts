// kubectl flashsale orders: the orders of a sale of a cluster. It runs in a pod of the operator; only what it prints comes
// here, as it comes.

import { Command } from 'commander';
import type { Millis } from '../../../dataplane/protocol/units.ts';
import { UserError } from '../../../dataplane/runtime/user-error.ts';
import { withCluster } from '../../cli/cluster.ts';
import { type OrdersOptions, ordersOptions } from '../../cli/commands/orders.ts';
import { note } from '../../cli/output.ts';
import { findSale, fullName } from '../../cli/sales.ts';
import { execIn } from '../exec.ts';
import { operatorOption, operatorPod, PROGRAM } from '../operator-pod.ts';
import { type CommonOptions, examples } from '../options.ts';

type Options = Omit<CommonOptions, 'output'> & OrdersOptions & { operatorNamespace?: string };

/** The time for a whole export. One that takes longer is cut, and goes on with --after. */
const EXPORT_WITHIN: Millis = 3_600_000;

export const ordersCommand = (): Command =>
  ordersOptions(new Command('orders'))
    .argument('[sale]', 'name, or namespace/name; not needed while there is only one in the namespace')
    .addOption(operatorOption())
    .addHelpText('after', examples('orders phone-launch > orders.csv', 'orders phone-launch -o ndjson --since 1h'))
    .action((name: string | undefined, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      return withCluster(options, async (cluster) => {
        const sale = fullName(await findSale(cluster, name));
        const place = await operatorPod(cluster, options.operatorNamespace);
        const asked = [...PROGRAM, 'orders', '--cluster', sale, ...passedOn(options)];
        const { code, stderr } = await execIn(cluster.config, place, asked, EXPORT_WITHIN, process.stdout);
        const said = stderr.trim().replaceAll(/^flashsale: /gm, '');
        if (code !== 0) throw new UserError(said || `the program ended with exit code ${code}`);
        if (said !== '') note(said);
      });
    });

const passedOn = ({ output, since, after }: OrdersOptions): string[] => [
  ...['-o', output],
  ...(since === undefined ? [] : ['--since', since]),
  ...(after === undefined ? [] : ['--after', after]),
];
