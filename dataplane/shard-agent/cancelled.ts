// Brings the units of a shard's cancelled orders to the sale's registry, from the shard's own database and by SQL: they
// become virtual stock there, so no message may say how many they are.

import type { Millis, ShardId, Units } from '../protocol/units.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';
import { type Loop, startLoop } from '../runtime/loop.ts';
import type { AgentRegistry } from '../stores/registry/registry.ts';
import type { ShardState } from '../stores/shard/shard.ts';
import type { StockHolderMetrics } from './metrics.ts';

const LOOK: Millis = 100;

/** Tells the lifetime total whenever it has grown, and once after each start. */
export function tellCancelled(
  id: ShardId,
  registry: Pick<AgentRegistry, 'tellCancelled'>,
  state: () => ShardState | undefined,
  metrics: StockHolderMetrics,
  clock: Clock,
  log: Logger,
): Loop {
  let told: Units = 0;
  const tell = async () => {
    const now = state();
    if (now?.incarnation === undefined || now.cancelled <= told) return;
    await registry.tellCancelled(now.incarnation, id, now.peerIncarnation, now.cancelled);
    told = now.cancelled;
  };
  return startLoop(clock, 'cancelled units', LOOK, log, tell, metrics.loopFailed);
}
