// One of several operators leads: the one that holds the Lease.

import type { Logger } from '../../dataplane/common/log.ts';
import type { Millis } from '../../dataplane/protocol/units.ts';
import type { KubeClient } from './client.ts';

export interface LeaseTiming {
  leaseDuration: Millis;
  renewDeadline: Millis;
  retryPeriod: Millis;
}

export interface ElectOptions {
  client: KubeClient;
  namespace: string;
  name: string;
  identity: string;
  lead(): void;
  lost(reason: string): void;
  log: Logger;
  timing?: Partial<LeaseTiming>;
}

export function elect(_options: ElectOptions): { stop(): Promise<void> } {
  throw new Error('in the making');
}
