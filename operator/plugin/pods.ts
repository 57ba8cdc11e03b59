// The pods of a sale as people read them. Pure.

import { span, table } from '../cli/output.ts';
import type { KubeObject } from '../kube/objects.ts';

/** What of a pod is read here. */
interface Pod {
  spec?: { nodeName?: string };
  status?: {
    phase?: string;
    reason?: string;
    startTime?: string;
    conditions?: { type: string; status: string; reason?: string; message?: string }[];
    initContainerStatuses?: ContainerStatus[];
    containerStatuses?: ContainerStatus[];
  };
}

interface ContainerStatus {
  name: string;
  ready: boolean;
  restartCount: number;
  state?: { waiting?: { reason?: string }; running?: object; terminated?: { reason?: string; exitCode: number } };
}

export interface PodReport {
  name: string;
  component: string;
  ready: boolean;
  /** How the pod is: `ready`, or what it does or lacks. */
  state: string;
  restarts: number;
  /** The node that runs the pod; absent: it was given to none yet. */
  node?: string;
  startedAt?: string;
}

/** The components in the order in which buyers meet them. */
const COMPONENTS = ['storefront', 'cache', 'shard', 'pool'];

/** Lists the pods in the order of their components, then by name. */
export const podReports = (pods: KubeObject[]): PodReport[] =>
  pods.map(report).sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name, 'en', { numeric: true }));

const rank = ({ component }: PodReport): number => {
  const at = COMPONENTS.indexOf(component);
  return at < 0 ? COMPONENTS.length : at;
};

function report(object: KubeObject): PodReport {
  const { spec = {}, status = {} } = object as unknown as Pod;
  const ready = status.conditions?.some(({ type, status: holds }) => type === 'Ready' && holds === 'True') ?? false;
  const containers = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  return {
    name: object.metadata.name,
    component: object.metadata.labels?.['app.kubernetes.io/component'] ?? '',
    ready,
    state: object.metadata.deletionTimestamp !== undefined ? 'ending' : ready ? 'ready' : stateOf(status, containers),
    restarts: containers.reduce((sum, { restartCount }) => sum + restartCount, 0),
    ...(spec.nodeName === undefined ? {} : { node: spec.nodeName }),
    ...(status.startTime === undefined ? {} : { startedAt: status.startTime }),
  };
}

/** What keeps it from being ready, as kubectl would name it. */
function stateOf({ phase = 'Pending', reason, conditions = [] }: NonNullable<Pod['status']>, all: ContainerStatus[]) {
  if (reason !== undefined) return reason;
  for (const { name, state } of all) {
    const { waiting, terminated } = state ?? {};
    if (waiting?.reason !== undefined && !/^(ContainerCreating|PodInitializing)$/.test(waiting.reason))
      return `${name}: ${waiting.reason}`;
    if (terminated && terminated.exitCode !== 0)
      return `${name}: ${terminated.reason ?? 'Error'} (exit code ${terminated.exitCode})`;
  }
  const unscheduled = conditions.find(({ type, status }) => type === 'PodScheduled' && status === 'False');
  if (unscheduled) return unscheduled.reason ?? 'Unschedulable';
  const late = all.filter(({ ready, state }) => !ready && state?.running).map(({ name }) => name);
  return phase === 'Running' && late.length > 0 ? `waiting for ${late.join(', ')}` : phase;
}

export const podsTable = (pods: PodReport[], now: number): string =>
  table(
    [
      ['POD', 'STATE', 'UPTIME', 'RESTARTS', 'NODE'],
      ...pods.map(({ name, state, restarts, node, startedAt }) => [
        name,
        state,
        startedAt === undefined ? '–' : span(now - Date.parse(startedAt)),
        String(restarts),
        node ?? '–',
      ]),
    ],
    [3],
  );
