// kubectl flashsale audit: where every unit of a sale of a cluster is. The databases, the cache nodes and their passwords
// stay in the cluster, so the audit runs there, in a pod of the operator; only its result comes here.

import { Command } from 'commander';
import { UserError } from '../../../dataplane/runtime/user-error.ts';
import type { AuditReport } from '../../audit/check.ts';
import { type Cluster, withCluster } from '../../cli/cluster.ts';
import { auditOptions, showAudit } from '../../cli/commands/audit.ts';
import { findSale, fullName } from '../../cli/sales.ts';
import { execIn } from '../exec.ts';
import { operatorOption, operatorPod, PROGRAM } from '../operator-pod.ts';
import { type CommonOptions, examples } from '../options.ts';

interface Options extends CommonOptions {
  operatorNamespace?: string;
  timeout: number;
}

export const auditCommand = (): Command =>
  auditOptions(new Command('audit'))
    .argument('[sale]', 'name, or namespace/name; not needed while there is only one in the namespace')
    .addOption(operatorOption())
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
