// Where a command runs that needs a sale's databases: they and their passwords stay in the cluster, so the program runs
// there, in a pod of the operator.

import { Option } from 'commander';
import { UserError } from '../../dataplane/runtime/user-error.ts';
import type { Cluster } from '../cli/cluster.ts';
import { isForbidden } from '../cli/kube-errors.ts';
import { type KubeObject, RESOURCES } from '../kube/objects.ts';
import type { Place } from './exec.ts';

const OPERATOR = 'app.kubernetes.io/name=flashsale-operator,app.kubernetes.io/component=operator';
/** The program within the operator's image. */
export const PROGRAM = ['node', '/app/operator/cli/main.ts'];

export const operatorOption = (): Option =>
  new Option('--operator-namespace <name>', "the operator's namespace; else it is looked for in all of them");

/** Returns a pod of the operator that is ready, whichever: the program in it asks the sale's stores, not the operator. */
export async function operatorPod({ client }: Cluster, namespace: string | undefined): Promise<Place> {
  const { items } = await client.list(RESOURCES.Pod, { namespace, labelSelector: OPERATOR }).catch((error: unknown) => {
    if (namespace === undefined && isForbidden(error))
      throw new UserError(
        'you may not look for the operator in all namespaces; name its own with --operator-namespace',
      );
    throw error;
  });
  const where = namespace === undefined ? 'this cluster' : `namespace ${namespace}`;
  if (items.length === 0) throw new UserError(`there is no operator in ${where}; this command runs in one of its pods`);
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
