// A cluster as commands see it: found, connected to, and closed again, whatever happens. What it refuses is thrown as a
// `UserError`, in one line.

import type { KubeConfig } from '@kubernetes/client-node';
import type { Millis } from '../../dataplane/protocol/units.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { connectKube, type KubeClient } from '../kube/client.ts';
import { inWords } from './kube-errors.ts';
import { type ClusterChoice, findKubeconfig } from './kubeconfig.ts';

export interface Cluster {
  client: KubeClient;
  config: KubeConfig;
  /** Its address. */
  server: string;
  /** The one asked for, else the context's. */
  namespace: string;
}

/** The field manager does not begin with kubectl, because Flux takes back whatever such a one has set. */
const NAME = 'flashsale-cli';
const TIMEOUT: Millis = 10_000;

export async function withCluster<T>(choice: ClusterChoice, work: (cluster: Cluster) => Promise<T>): Promise<T> {
  const config = findKubeconfig(choice, process.env);
  const server = config.getCurrentCluster()?.server ?? '';
  const client = connectKube(config, {
    timeout: TIMEOUT,
    userAgent: `${NAME}/${packageJson.version}`,
    fieldManager: NAME,
  });
  try {
    const namespace = choice.namespace ?? config.getContextObject(config.currentContext)?.namespace ?? 'default';
    return await work({ client, config, server, namespace });
  } catch (error) {
    throw inWords(error, server);
  } finally {
    await client.close();
  }
}
