// Makes an object as it is wanted, and leaves alone what is.

import type { KubeClient } from './client.ts';
import type { Difference } from './difference.ts';
import type { Conflict } from './errors.ts';
import type { KubeObject } from './objects.ts';

export interface Applied {
  did: 'nothing' | 'created' | 'changed';
  /** What made it necessary; absent for a new object. */
  why?: Difference;
  /** Fields that somebody else had set, and that were taken back. */
  taken?: Conflict[];
}

export async function applyWanted(
  _client: KubeClient,
  _wanted: KubeObject,
  _found: KubeObject | undefined,
): Promise<Applied> {
  throw new Error('in the making');
}
