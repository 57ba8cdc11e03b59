// kubectl flashsale audit: where every unit of a sale of a cluster is. The databases, the cache nodes and their passwords
// stay in the cluster, so the audit runs there, in a pod of the operator; only its result comes here.

import { Command } from 'commander';
import { UserError } from '../../../dataplane/runtime/user-error.ts';
import type { AuditReport } from '../../audit/check.ts';
import { type Cluster, withCluster } from '../../cli/cluster.ts';
import { auditOptions, showAudit } from '../../cli/commands/audit.ts';
import { isForbidden } from '../../cli/kube-errors.ts';
import { findSale, fullName } from '../../cli/sales.ts';
import { type KubeObject, RESOURCES } from '../../kube/objects.ts';
import { execIn, type Place } from '../exec.ts';
import { type CommonOptions, examples } from '../options.ts';

interface Options extends CommonOptions {
  operatorNamespace?: string;
  timeout: number;
}

const OPERATOR = 'app.kubernetes.io/name=flashsale-operator,app.kubernetes.io/component=operator';
/** The program within the operator's image. */
const PROGRAM = ['node', '/app/operator/cli/main.ts'];

export const auditCommand = (): Command =>
  auditOptions(new Command('audit'))
    .argument('[sale]', 'name, or namespace/name; not needed while there is only one in the namespace')
    .option('--operator-namespace <name>', "the operator's namespace; else it is looked for in all of them")
    .addHelpText('after', examples('audit phone-launch', 'audit phone-launch -o json'))
    .action((name: string | undefined, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      return withCluster(options, async (cluster) =>
        showAudit(await auditInside(cluster, fullName(await findSale(cluster, name)), options), options.output),
      );
    });

async function auditInside(cluster: Cluster, sale: string, options: Options): Promise<AuditReport> {
  const place = await operatorPod(cluster, options.operatorNamespace);
  const timeout = String(options.timeout);
  const command = [...PROGRAM, 'audit', '--cluster', sale, '--timeout', timeout, '-o', 'json'];
  const { code, stdout, stderr } = await execIn(cluster.config, place, command, (options.timeout + 60) * 1000);
  // 1 is also the code of an audit that found something.
  if (stdout.trim() !== '') return JSON.parse(stdout) as AuditReport;
  const said =
    stderr
      .trim()
      .split('\n')
      .at(-1)
      ?.replace(/^flashsale: /, '') || `the program ended with exit code ${code}`;
  throw new UserError(`the audit in pod ${place.namespace}/${place.pod} did not come about: ${said}`);
}

/** Any that is ready: the audit asks the stores, not the operator. */
async function operatorPod({ client }: Cluster, namespace: string | undefined): Promise<Place> {
  const { items } = await client.list(RESOURCES.Pod, { namespace, labelSelector: OPERATOR }).catch((error: unknown) => {
    if (namespace === undefined && isForbidden(error))
      throw new UserError(
        'you may not look for the operator in all namespaces; name its own with --operator-namespace',
      );
    throw error;
  });
  const where = namespace === undefined ? 'this cluster' : `namespace ${namespace}`;
  if (items.length === 0) throw new UserError(`there is no operator in ${where}; an audit runs in one of its pods`);
  const pod = items.find(isReady);
  if (!pod)
    throw new UserError(
      `no operator pod in ${where} is ready: ${items.map(({ metadata }) => metadata.name).join(', ')}`,
    );
  return { namespace: pod.metadata.namespace ?? '', pod: pod.metadata.name, container: 'operator' };
}

function isReady({ metadata, status }: KubeObject): boolean {
  const { conditions = [] } = (status ?? {}) as { conditions?: { type: string; status: string }[] };
  const holds = conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True');
  return holds && metadata.deletionTimestamp === undefined;
}
