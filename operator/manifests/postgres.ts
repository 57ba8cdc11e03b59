// A numbered set of PostgreSQL servers with their agents: what the shards and the transfer pool are alike in.

import type { V1Container, V1Probe } from '@kubernetes/client-node';
import { parseQuantity } from '../api/scalars.ts';
import type { KubeObject } from '../kube/objects.ts';
import { connectionsFor, SUPERUSER_SECRET, serverArguments } from '../topology/postgres-settings.ts';
import type { ManifestInput } from './input.ts';
import { PATHS, PORTS, USERS } from './places.ts';
import {
  container,
  podTemplate,
  type RoleParts,
  resourcesFor,
  roleContainer,
  roleVolumes,
  secretVolume,
} from './pods.ts';
import { INITDB_SCRIPT } from './scripts/initdb.ts';
import type { SecretReader } from './secrets.ts';
import { numberedPods } from './sets.ts';

export interface PostgresParts extends Pick<RoleParts, 'id' | 'listen'> {
  replicas: number;
  reader: SecretReader;
}

export function postgresObjects(
  input: ManifestInput,
  component: 'shard' | 'pool',
  { replicas, reader, ...role }: PostgresParts,
): KubeObject[] {
  const { topology } = input;
  const template = podTemplate(input, component, {
    initContainers: [initContainer(input)],
    containers: [
      serverContainer(input),
      roleContainer(input, {
        name: 'agent',
        role: 'shard-agent',
        resources: resourcesFor(input, 'agent'),
        ...role,
      }),
    ],
    volumes: [secretVolume(topology, 'superuser', [SUPERUSER_SECRET]), ...roleVolumes(input, reader)],
    group: USERS.postgres,
    // Time for the last checkpoint of a busy shard on a slow disk.
    grace: 60,
  });
  return numberedPods(input, component, {
    replicas,
    template,
    ports: [
      { name: 'postgres', port: PORTS.postgres, targetPort: 'postgres' },
      ...(role.listen ? [{ name: role.listen.name, port: role.listen.port, targetPort: role.listen.name }] : []),
    ],
    storage: topology.shards.storage,
  });
}

/** By the script's own words; what it makes belongs to the user that the server runs as. */
const initContainer = ({ options }: ManifestInput): V1Container =>
  container(options, 'postgres', {
    name: 'init',
    command: ['sh', '-c', INITDB_SCRIPT, 'init', PATHS.data, `${PATHS.superuser}/${SUPERUSER_SECRET}`],
    volumeMounts: [
      { name: 'superuser', mountPath: PATHS.superuser, readOnly: true },
      { name: 'data', mountPath: PATHS.data },
    ],
  });

function serverContainer(input: ManifestInput): V1Container {
  const { topology, options, cachePods } = input;
  const { replicas, autoscaling } = topology.storefronts;
  const resources = resourcesFor(input, 'postgres', topology.shards.resources);
  const connections = connectionsFor({
    storefronts: autoscaling?.maxReplicas ?? replicas,
    nodes: cachePods,
    shards: topology.shards.members.length,
    databases: 1,
  });
  const { limits, requests } = resources.resources ?? {};
  return container(options, 'postgres', {
    name: 'postgres',
    command: [
      'postgres',
      ...serverArguments({
        data: `${PATHS.data}/data`,
        listen: '*',
        port: PORTS.postgres,
        connections,
        sharedBuffers: sharedBuffers(limits?.memory ?? requests?.memory),
      }),
      // Where a node has some, a pod that asked for none ends by a bus error when it touches one.
      ...['-c', 'huge_pages=off'],
    ],
    ports: [{ name: 'postgres', containerPort: PORTS.postgres }],
    // It redoes its log before it answers, which takes as long as the disk wants.
    startupProbe: { ...asked(READY), periodSeconds: 2, failureThreshold: 900 },
    readinessProbe: { ...asked(READY), periodSeconds: 5 },
    // One that answers "not now" is at work: it is redoing its log, or its sessions are all taken.
    livenessProbe: { ...asked(`${READY}; [ $? -le 1 ]`), periodSeconds: 10, failureThreshold: 6 },
    lifecycle: {
      // On SIGTERM it would wait for every client to leave; SIGINT is its fast shutdown, which keeps all that is
      // committed, and then it does not mind the SIGTERM that follows. A field of the pod could name the signal
      // (lifecycle.stopSignal), but no release of Kubernetes has that switched on without being asked to.
      preStop: { exec: { command: ['sh', '-c', 'kill -INT 1'] } },
    },
    ...resources,
    volumeMounts: [{ name: 'data', mountPath: PATHS.data }],
  });
}

const READY = `pg_isready -q -h 127.0.0.1 -p ${PORTS.postgres} -t 4`;

const asked = (script: string): V1Probe => ({ exec: { command: ['sh', '-c', script] }, timeoutSeconds: 5 });

/** A quarter of the memory the container may use, as PostgreSQL's manual advises; its own default where that is unknown. */
function sharedBuffers(memory: string | undefined): string {
  const bytes = memory === undefined ? undefined : parseQuantity(memory);
  if (!bytes) return '128MB';
  return `${Math.max(16, Number(bytes.numerator / bytes.denominator / 4n / 1024n ** 2n))}MB`;
}
