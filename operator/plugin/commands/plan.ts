// kubectl flashsale plan: what applying a file would change and move, without doing it, and what the API server says
// to it.

import { Command } from 'commander';
import { UserError } from '../../../dataplane/runtime/user-error.ts';
import { countFlashSales, loadFlashSale } from '../../api/load.ts';
import { type Cluster, withCluster } from '../../cli/cluster.ts';
import { type Format, outputOption } from '../../cli/options.ts';
import { print, printJson } from '../../cli/output.ts';
import { asSale, listSales } from '../../cli/sales.ts';
import { type KubeObject, RESOURCES } from '../../kube/objects.ts';
import { Refused } from '../../local/edit.ts';
import { readText } from '../../local/files.ts';
import { changesBetween } from '../../topology/changes.ts';
import { dryRun } from '../dry-run.ts';
import { type CommonOptions, examples } from '../options.ts';
import { type Plan, planReport, planText } from '../plan.ts';

interface Options extends CommonOptions {
  file: string;
}

export const planCommand = (): Command =>
  new Command('plan')
    .description('say what applying this file would change, what it would move, and what the API server says to it')
    .requiredOption('-f, --file <file>', 'the edited FlashSale file, with one sale or several; - is standard input')
    .addOption(outputOption())
    .addHelpText('after', examples('plan -f sale.yaml', 'plan -f sale.yaml -o json'))
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      return withCluster(options, async (cluster) => {
        const text = readText(options.file);
        const plans: Plan[] = [];
        for (let which = 0; which < Math.max(1, countFlashSales(text)); which++)
          plans.push(await makePlan(cluster, text, which, options));
        show(plans, options.output);
        if (plans.some(({ complaints }) => complaints.length > 0)) process.exitCode = 1;
      });
    });

function show(plans: Plan[], output: Format): void {
  const [first] = plans;
  if (output === 'text') print(plans.map(planText).join('\n\n'));
  else printJson(plans.length === 1 && first ? planReport(first) : { plans: plans.map(planReport) });
}

async function makePlan(cluster: Cluster, text: string, which: number, options: Options): Promise<Plan> {
  const { file, namespace } = options;
  const loaded = loadFlashSale(text, { source: file, which });
  const written = placed(loaded.written, namespace, cluster.namespace);
  if (!written) throw loaded.ok ? new UserError(`${file} names no sale`) : new Refused(loaded.errors);
  const at = written.metadata;
  const found = await cluster.client.get(RESOURCES.FlashSale, at.namespace, at.name);
  // Nothing there may mean that the resource itself is not.
  if (!found) await listSales(cluster.client, at.namespace);
  const live = found && asSale(found);
  const verdict = await dryRun(cluster.client, written, live);
  const checked = live ? loadFlashSale(text, { source: file, which, old: live }) : loaded;
  return {
    sale: `${at.namespace}/${at.name}`,
    file,
    ...(live ? { live } : {}),
    ...verdict,
    changes: live && verdict.after ? changesBetween(live, verdict.after, live.status, 'cluster') : [],
    mistakes: checked.ok ? [] : checked.errors,
  };
}

type Placed = KubeObject & { metadata: { name: string; namespace: string } };

/** Returns the sale with its namespace, as kubectl finds it. Undefined: it has no name, or is no FlashSale that this program knows. */
function placed(written: unknown, asked: string | undefined, usual: string): Placed | undefined {
  const object = written as Partial<KubeObject> | undefined;
  const { name, namespace = usual } = object?.metadata ?? {};
  const { apiVersion, kind } = RESOURCES.FlashSale;
  if (object?.apiVersion !== apiVersion || object.kind !== kind || typeof name !== 'string' || name === '')
    return undefined;
  if (asked !== undefined && asked !== namespace)
    throw new UserError(
      `the file is of namespace ${namespace}, not ${asked}; leave out -n, or change metadata.namespace`,
    );
  return { ...object, metadata: { ...object.metadata, name, namespace } } as Placed;
}
