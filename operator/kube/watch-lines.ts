// What a watch says, one JSON document a line. Pure.

import type { KubeObject } from './objects.ts';

/** A bookmark tells only how far the server has looked. An ERROR of the server is thrown as a KubeError instead. */
export type WatchEvent =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: KubeObject; resourceVersion: string }
  | { type: 'BOOKMARK'; resourceVersion: string };
