// What is to be looked at, by key.

import type { Millis } from '../../dataplane/protocol/units.ts';

export interface WorkQueue {
  add(key: string): void;
  addAfter(key: string, delay: Millis): void;
  readonly length: number;
  stop(): Promise<void>;
}

export interface QueueOptions {
  // biome-ignore lint/suspicious/noConfusingVoidType: most work has nothing to say.
  work(key: string): Promise<{ again?: Millis } | void>;
  concurrency: number;
  failed(key: string, error: unknown, retryIn: Millis): void;
  timing?: { first?: Millis; longest?: Millis };
}

export function startQueue(_options: QueueOptions): WorkQueue {
  throw new Error('in the making');
}
