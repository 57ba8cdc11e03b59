// Which cluster is meant, as kubectl decides it: --kubeconfig, else the files of KUBECONFIG, else ~/.kube/config, else,
// within a pod, its service account. Reads files, asks no server. Throws `UserError`.

import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { messageOf, UserError } from '../../dataplane/runtime/user-error.ts';
import { nearest } from '../api/suggest.ts';

export interface ClusterChoice {
  kubeconfig?: string;
  context?: string;
  namespace?: string;
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount/token';

export function findKubeconfig({ kubeconfig, context }: ClusterChoice, env: NodeJS.ProcessEnv): KubeConfig {
  const files = kubeconfig === undefined ? usualFiles(env) : [existing(kubeconfig)];
  if (files.length === 0 && existsSync(SERVICE_ACCOUNT)) {
    const config = new KubeConfig();
    config.loadFromCluster();
    return config;
  }
  const config = files.map(read).reduce(merged, new KubeConfig());
  if (context !== undefined) config.setCurrentContext(context);
  checkContext(config);
  return config;
}

/** Returns the files of KUBECONFIG that exist; without KUBECONFIG, the one in the home folder. */
function usualFiles(env: NodeJS.ProcessEnv): string[] {
  const named = (env.KUBECONFIG ?? '').split(delimiter).filter((file) => file !== '');
  const usual = join(env.HOME ?? homedir(), '.kube', 'config');
  const files = (named.length > 0 ? named : [usual]).filter((file) => existsSync(file));
  if (files.length > 0 || existsSync(SERVICE_ACCOUNT)) return files;
  throw new UserError(
    named.length > 0
      ? `there is no kubeconfig: KUBECONFIG names ${named.join(', ')}, which does not exist`
      : `there is no kubeconfig: neither --kubeconfig nor KUBECONFIG names one, and ${usual} does not exist`,
  );
}

function existing(file: string): string {
  if (existsSync(file)) return file;
  throw new UserError(`there is no kubeconfig ${file}`);
}

function read(file: string): KubeConfig {
  const config = new KubeConfig();
  try {
    config.loadFromFile(file);
  } catch (error) {
    throw new UserError(`the kubeconfig ${file} cannot be read: ${messageOf(error).split('\n')[0]}`);
  }
  return config;
}

/** What an earlier file says goes first. */
function merged(config: KubeConfig, next: KubeConfig): KubeConfig {
  for (const cluster of next.clusters) if (!config.getCluster(cluster.name)) config.addCluster(cluster);
  for (const user of next.users) if (!config.getUser(user.name)) config.addUser(user);
  for (const other of next.contexts) if (!config.getContextObject(other.name)) config.addContext(other);
  if (!config.currentContext) config.setCurrentContext(next.currentContext);
  return config;
}

function checkContext(config: KubeConfig): void {
  const names = config.contexts.map(({ name }) => name);
  const { currentContext: wanted } = config;
  if (!wanted)
    throw new UserError(
      `the kubeconfig has no current context; name one with --context${names.length > 0 ? `: ${names.join(', ')}` : ''}`,
    );
  const found = config.getContextObject(wanted);
  if (!found) {
    const meant = nearest(wanted, names);
    throw new UserError(
      `the kubeconfig has no context ${wanted}; ${meant === undefined ? `there is ${names.join(', ') || 'none'}` : `did you mean ${meant}?`}`,
    );
  }
  if (!config.getCluster(found.cluster))
    throw new UserError(`the kubeconfig's context ${wanted} names the cluster ${found.cluster}, which is not in it`);
}
