// The operator's one way to a Kubernetes API server.

import type { KubeConfig } from '@kubernetes/client-node';
import type { Millis } from '../../dataplane/protocol/units.ts';
import type { KubeObject, Resource } from './objects.ts';
import type { WatchEvent } from './watch-lines.ts';

export { KubeError } from './errors.ts';

export interface Selection {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
}

export interface KubeClient {
  /** undefined: there is none. */
  get(resource: Resource, namespace: string, name: string): Promise<KubeObject | undefined>;
  /** Everything, however many pages; `resourceVersion` is where a watch goes on. */
  list(resource: Resource, selection?: Selection): Promise<{ items: KubeObject[]; resourceVersion: string }>;
  watch(
    resource: Resource,
    options: Selection & { resourceVersion: string; signal: AbortSignal; length?: Millis; idle?: Millis },
  ): AsyncIterable<WatchEvent>;
  apply(object: KubeObject, options?: { force?: boolean; dryRun?: boolean }): Promise<KubeObject>;
  applyStatus(object: KubeObject): Promise<KubeObject>;
  patch(resource: Resource, namespace: string, name: string, mergePatch: unknown): Promise<KubeObject>;
  create(object: KubeObject): Promise<KubeObject>;
  replace(object: KubeObject): Promise<KubeObject>;
  delete(
    resource: Resource,
    namespace: string,
    name: string,
    options?: { uid?: string; propagation?: 'Foreground' | 'Background' | 'Orphan' },
  ): Promise<void>;
  close(): Promise<void>;
}

export interface ConnectOptions {
  timeout?: Millis;
  qps?: number;
  burst?: number;
  userAgent?: string;
}

export function connectKube(_config: KubeConfig, _options: ConnectOptions = {}): KubeClient {
  throw new Error('in the making');
}
