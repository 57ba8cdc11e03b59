// A copy of what the API server holds of one kind, kept up to date.

import type { Logger } from '../../dataplane/common/log.ts';
import type { Millis } from '../../dataplane/protocol/units.ts';
import type { KubeClient } from './client.ts';
import type { ReflectorMetrics } from './metrics.ts';
import type { KubeObject, Resource } from './objects.ts';

export interface Reflector {
  readonly synced: Promise<void>;
  get(namespace: string, name: string): KubeObject | undefined;
  list(): KubeObject[];
  stop(): Promise<void>;
}

export interface ReflectorTiming {
  watch: Millis;
  idle: Millis;
  relist: Millis;
  first: Millis;
  longest: Millis;
}

export interface ReflectorOptions {
  client: KubeClient;
  resource: Resource;
  namespace?: string;
  labelSelector?: string;
  changed(object: KubeObject, what: 'added' | 'modified' | 'deleted'): void;
  log: Logger;
  metrics?: ReflectorMetrics;
  timing?: Partial<ReflectorTiming>;
}

export function startReflector(_options: ReflectorOptions): Reflector {
  throw new Error('in the making');
}
