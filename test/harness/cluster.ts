// The cluster that hack/cluster makes, as tests use it: kubectl, namespaces that enforce the restricted Pod Security
// Standard, and hack/cluster itself. Makes no cluster and ends none; `hack/test cluster` does both.

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

const PROGRAM = join(import.meta.dirname, '..', '..', 'hack', 'cluster');

export interface ClusterOutcome {
  code: number | null;
  out: string;
  err: string;
}

function run(program: string, args: string[], input = '', env: Record<string, string> = {}): Promise<ClusterOutcome> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...env }, maxBuffer: 2 ** 26, timeout: 150_000 };
    const child = execFile(program, args, options, (error, out, err) =>
      resolve({ code: error === null ? 0 : child.exitCode, out, err }),
    );
    // One that read nothing and has ended said why in its exit code.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

/** hack/cluster, as a person calls it. */
export const cluster = (args: string[], env: Record<string, string> = {}): Promise<ClusterOutcome> =>
  run(PROGRAM, args, '', env);

/** Rejects with what kubectl said. `input`: an object, or a list of them, for `-f -`. */
export async function kubectl(args: string[], input?: unknown): Promise<string> {
  if (process.env.KUBECONFIG === undefined) throw new Error('KUBECONFIG is not set; run this with hack/test cluster');
  const items = Array.isArray(input) ? { apiVersion: 'v1', kind: 'List', items: input } : input;
  const { code, out, err } = await run('kubectl', args, items === undefined ? '' : JSON.stringify(items));
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${err.trim()}`);
  return out;
}

/** A new namespace in which nothing less than restricted runs; removed with all that is in it when the test is over. */
export async function restrictedNamespace(): Promise<string> {
  const name = `cluster-${randomBytes(4).toString('hex')}`;
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  onTestFinished(async () => void (await kubectl(['delete', 'namespace', name, '--wait=false'])));
  await kubectl(['create', '-f', '-'], { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
  return name;
}

interface Container {
  image: string;
  command?: string[];
  args?: string[];
  env?: { name: string; value: string }[];
  readinessProbe?: unknown;
}

export interface PodOptions {
  namespace: string;
  name: string;
  labels?: Record<string, string>;
  container: Container;
  /** The user's number; absent: as the image says. */
  user?: number;
  /** A claim, mounted at /data. */
  claim?: string;
  restartPolicy?: 'Never';
}

/** A pod as the restricted standard wants it, which may write to /tmp and /data only. */
export function pod({ namespace, name, labels = {}, container, user, claim, restartPolicy }: PodOptions) {
  const volumes = [
    { name: 'tmp', mountPath: '/tmp', volume: { emptyDir: {} } },
    ...(claim === undefined
      ? []
      : [{ name: 'data', mountPath: '/data', volume: { persistentVolumeClaim: { claimName: claim } } }]),
  ];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name, labels },
    spec: {
      ...(restartPolicy && { restartPolicy }),
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 5,
      securityContext: {
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
        ...(user !== undefined && { runAsUser: user, runAsGroup: user }),
      },
      containers: [
        {
          name: 'main',
          imagePullPolicy: 'Never',
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          volumeMounts: volumes.map(({ name, mountPath }) => ({ name, mountPath })),
          ...container,
        },
      ],
      volumes: volumes.map(({ name, volume }) => ({ name, ...volume })),
    },
  };
}
