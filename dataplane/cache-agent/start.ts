// Starts the agent of one cache node: its three steps, each in a loop of its own. It knows no process, no file and no
// client library.

import type { Millis } from '../protocol/units.ts';
import { startLoop } from '../runtime/loop.ts';
import { type AgentDeps, CacheAgent } from './agent.ts';

const ATTEND_EVERY: Millis = 250;
const EXPIRE_EVERY: Millis = 250;
const REPORT_EVERY: Millis = 200;

export interface RunningCacheAgent {
  /** Returns undefined when the node may be used, and otherwise a sentence that says why not. */
  unready(): string | undefined;
  /** Ends every loop after its running step. Resolves when no shard is being closed any more. */
  stop(): Promise<void>;
}

export function startCacheAgent(deps: AgentDeps): RunningCacheAgent {
  const { clock, log, metrics } = deps;
  const agent = new CacheAgent(deps);
  const failed = (loop: string) => metrics.loopFailed(1, loop);
  const loops = [
    startLoop(clock, 'attend', ATTEND_EVERY, log, () => agent.attend(), failed),
    startLoop(clock, 'expire', EXPIRE_EVERY, log, () => agent.expire(), failed),
    startLoop(clock, 'report', REPORT_EVERY, log, () => agent.report(), failed),
  ];
  return {
    unready: () => agent.unready(),
    async stop() {
      await Promise.all(loops.map((loop) => loop.stop()));
      await agent.settled();
    },
  };
}
