// Events about objects, as sentences for people.

import type { Logger } from '../../dataplane/common/log.ts';
import type { KubeClient } from './client.ts';
import type { KubeObject } from './objects.ts';

export interface Recorder {
  event(about: KubeObject, type: 'Normal' | 'Warning', reason: string, action: string, note: string): void;
  flush(): Promise<void>;
}

export function recorder(
  _client: KubeClient,
  _options: { component: string; instance: string; log: Logger },
): Recorder {
  throw new Error('in the making');
}
