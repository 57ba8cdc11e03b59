// Sends transfers again that a receiver has not reported for a second. The transfers are read from the ledger, so this
// works after a crash between executing and sending just as well as after Kafka lost everything.

import type { Delta, Transfer } from '../protocol/messages.ts';
import type { Millis, StockHolderId, Units, Version } from '../protocol/units.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';
import { type Loop, startLoop } from '../runtime/loop.ts';
import type { AgentShard, ShardState } from '../stores/shard/shard.ts';
import { decideResend, type Unreported } from './resend.ts';

const CHECK: Millis = 200;
const AT_ONCE = 1000;

export interface ResendingOptions {
  id: StockHolderId;
  shard: AgentShard;
  clock: Clock;
  log: Logger;
  state: () => ShardState | undefined;
  /** Returns the newest reports of all stock holders. A hop that never reported would not read a transfer either. */
  reports: () => readonly Delta[];
  send: (transfers: readonly Transfer[]) => void;
  /** Is told the units that left here and that the next hops have not reported. */
  inFlight: (units: Units) => void;
  /** Is called with the loop's name when a check failed and will be tried again. */
  failed: (loop: string) => void;
}

export function startResending(options: ResendingOptions): Loop {
  const { id, shard, clock, log, state, reports, send, inFlight, failed } = options;
  const unreported = new Map<StockHolderId, Unreported>();
  /** For each hop that has reported everything, this database's version at that time. */
  const settled = new Map<StockHolderId, Version>();
  const away = new Map<StockHolderId, Units>();
  const check = async () => {
    const version = state()?.version;
    if (version === undefined) return;
    for (const { peer: hop, receivedVersions } of reports()) {
      // A shard's only next hop is the pool.
      if (hop === id || (id !== 'pool' && hop !== 'pool') || settled.get(hop) === version) continue;
      const transfers = await shard.transfersTo(hop, receivedVersions[id] ?? 0, AT_ONCE);
      const decision = decideResend(unreported.get(hop), transfers, clock.now());
      if (decision.memory) unreported.set(hop, decision.memory);
      else unreported.delete(hop);
      if (transfers.length === 0) settled.set(hop, version);
      away.set(hop, sumOf(transfers));
      send(decision.send);
    }
    inFlight([...away.values()].reduce((sum, units) => sum + units, 0));
  };
  return startLoop(clock, 'resending', CHECK, log, check, failed);
}

const sumOf = (transfers: readonly Transfer[]): Units => transfers.reduce((sum, { units }) => sum + units, 0);
