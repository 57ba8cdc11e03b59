// kubectl flashsale plan: what applying a file would change and move, without doing it, and what the API server says
// to it.

import { Command } from 'commander';
import { type ApiError, renderError } from '../../api/findings.ts';
import type { FlashSale } from '../../api/flashsale.gen.ts';
import { loadFlashSale } from '../../api/load.ts';
import { changeLines, newSale, whatIsNew } from '../../cli/changes.ts';
import { type Cluster, withCluster } from '../../cli/cluster.ts';
import { outputOption } from '../../cli/options.ts';
import { number, print, printJson, styled } from '../../cli/output.ts';
import { asSale, listSales } from '../../cli/sales.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { RESOURCES } from '../../kube/objects.ts';
import { Refused } from '../../local/edit.ts';
import { Trouble } from '../../local/errors.ts';
import { readText } from '../../local/files.ts';
import { type Change, changesBetween } from '../../topology/changes.ts';
import type { Complaint } from '../complaints.ts';
import { dryRun } from '../dry-run.ts';
import { type CommonOptions, examples } from '../options.ts';

interface Options extends CommonOptions {
  file: string;
}

export const planCommand = (): Command =>
  new Command('plan')
    .description('say what applying this file would change, what it would move, and what the API server says to it')
    .requiredOption('-f, --file <file>', 'the edited FlashSale file; - is standard input')
    .addOption(outputOption())
    .addHelpText('after', examples('plan -f sale.yaml', 'plan -f sale.yaml -o json'))
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      return withCluster(options, (cluster) => plan(cluster, options));
    });

export interface Plan {
  sale: string;
  file: string;
  live?: FlashSale;
  after?: FlashSale;
  changes: Change[];
  complaints: Complaint[];
  /** Mistakes that this program's copy of the rules sees in the file, with their lines. */
  mistakes: ApiError[];
}

async function plan(cluster: Cluster, options: Options): Promise<void> {
  const result = await makePlan(cluster, options);
  if (options.output === 'json') printJson(planReport(result));
  else print(planText(result));
  if (result.complaints.length > 0) process.exitCode = 1;
}

async function makePlan(cluster: Cluster, { file, namespace }: Options): Promise<Plan> {
  const text = readText(file);
  const loaded = loadFlashSale(text, { source: file });
  const written = placed(loaded.written, namespace, cluster.namespace);
  if (!written) throw loaded.ok ? new Trouble(`${file} names no sale`) : new Refused(loaded.errors);
  const at = written.metadata;
  const found = await cluster.client.get(RESOURCES.FlashSale, at.namespace, at.name);
  // Nothing there may mean that the resource itself is not.
  if (!found) await listSales(cluster.client, at.namespace);
  const live = found && asSale(found);
  const verdict = await dryRun(cluster.client, written, live);
  const judged = live ? loadFlashSale(text, { source: file, old: live }) : loaded;
  return {
    sale: `${at.namespace}/${at.name}`,
    file,
    ...(live ? { live } : {}),
    ...verdict,
    changes: live && verdict.after ? changesBetween(live, verdict.after, live.status) : [],
    mistakes: judged.ok ? [] : judged.errors,
  };
}

type Placed = KubeObject & { metadata: { name: string; namespace: string } };

/** With its namespace, as kubectl finds it. Undefined: it has no name, or is no object at all. */
function placed(written: unknown, asked: string | undefined, usual: string): Placed | undefined {
  const object = written as Partial<KubeObject> | undefined;
  const { name, namespace = usual } = object?.metadata ?? {};
  if (!object || typeof name !== 'string' || name === '') return undefined;
  if (asked !== undefined && asked !== namespace)
    throw new Trouble(
      `the file is of namespace ${namespace}, not ${asked}; leave out -n, or change metadata.namespace`,
    );
  return { ...object, metadata: { ...object.metadata, name, namespace } } as Placed;
}

function planReport({ sale, live, after, changes, complaints, mistakes }: Plan) {
  return {
    sale,
    new: live === undefined,
    accepted: complaints.length === 0,
    complaints: complaints.map((complaint) => ({ ...complaint, ...lineOf(complaint, mistakes) })),
    ...(!live && after ? { parts: newSale(after) } : {}),
    changes,
  };
}

export function planText({ sale, file, live, after, changes, complaints, mistakes }: Plan): string {
  const effect = !after ? [] : live ? changeLines(changes) : [`${whatIsNew(after, 'the operator’s Kafka')}`];
  const head = live ? `${styled('bold', sale)}  ${standing(live)}` : styled('bold', sale);
  const unsaid = mistakes.filter(({ path }) => !complaints.some(({ field }) => field === path));
  return [
    head,
    ...(effect.length > 0 ? [effect.join('\n')] : []),
    complaints.length === 0
      ? `The API server accepts it.${live && changes.length === 0 ? '' : ` To make it so: kubectl apply -f ${file}`}`
      : [styled('red', 'The API server refuses it:'), ...complaints.map((c) => complaintLine(c, file, mistakes))].join(
          '\n',
        ),
    ...(complaints.length > 0 && unsaid.length > 0
      ? [['Once that is right, these are next:', ...unsaid.map((mistake) => `  ${renderError(mistake)}`)].join('\n')]
      : []),
  ].join('\n\n');
}

function standing({ status = {} }: FlashSale): string {
  const { phase = 'Pending', sold, supplied } = status;
  return sold === undefined ? phase : `${phase}, ${number(sold)} of ${number(supplied)} units sold`;
}

/** Where the file says what is complained of, as far as this program sees the mistake, too. */
function lineOf({ field }: Complaint, mistakes: ApiError[]): { line?: number } {
  const line = mistakes.find(({ path }) => path === field)?.line;
  return line === undefined ? {} : { line };
}

function complaintLine(complaint: Complaint, file: string, mistakes: ApiError[]): string {
  const { line } = lineOf(complaint, mistakes);
  const parts = [...(line === undefined ? [] : [`${file}:${line}`]), complaint.field, complaint.message];
  return `  ${parts.filter((part) => part !== '').join(': ')}`;
}
