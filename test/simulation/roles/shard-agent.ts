// The agent beside one shard's database, the pool's too: joins, reports, executes commands, receives transfers, sends
// again what stays unreported. When to report and what to send again is decided by the real code.

import type { Command, Delta, Transfer } from '../../../dataplane/protocol/messages.ts';
import type { StockHolderId } from '../../../dataplane/protocol/units.ts';
import { deltaOf, type Reported, reportDue } from '../../../dataplane/shard-agent/report.ts';
import { decideResend, type Unreported } from '../../../dataplane/shard-agent/resend.ts';
import type { ShardState } from '../../../dataplane/stores/shard/shard.ts';
import { call, forever, Process, quietly, type Task } from '../engine/sim.ts';
import { INCARNATION } from '../model/pool.ts';
import type { ShardModel } from '../model/shard.ts';
import type { World } from '../world.ts';

export function shardAgent(world: World, shard: ShardModel): Process {
  return new Process(world.sim, `agent of ${shard.peer}`, (process) => startPeer(world, shard, process));
}

export function startPeer(world: World, shard: ShardModel, process: Process): void {
  const { sim, bus, scenario } = world;
  const reports = new Map<StockHolderId, Delta>();
  const unreported = new Map<StockHolderId, Unreported>();
  let last: Reported = { state: undefined, at: Number.NEGATIVE_INFINITY };
  let joined = shard.peer === 'pool';
  const send = (transfers: readonly Transfer[]) => {
    for (const transfer of transfers) bus.publish('transfers', transfer.to, transfer);
  };

  function* report(): Task {
    if (!joined) {
      yield* join(world, shard);
      joined = true;
    }
    const state: ShardState = yield* call(shard, () => shard.state());
    const delta = deltaOf(shard.peer, last.state, state);
    if (!delta || !reportDue(last, state, sim.now, scenario.summaryPeriod)) return;
    const sent = bus.publish('deltas', shard.peer, delta);
    last = { state: sent ? state : last.state, at: sim.now };
  }

  function* resend(): Task {
    for (const { peer, receivedVersions } of reports.values()) {
      if (peer === shard.peer || (shard.peer !== 'pool' && peer !== 'pool')) continue;
      const transfers = yield* call(shard, () => shard.transfersTo(peer, receivedVersions[shard.peer] ?? 0));
      const decision = decideResend(unreported.get(peer), transfers, sim.now);
      if (decision.memory) unreported.set(peer, decision.memory);
      else unreported.delete(peer);
      send(decision.send);
    }
  }

  // A message whose handling fails is lost: it will be said again.
  function* execute(command: Command): Task {
    send(yield* call(shard, () => shard.execute(command)));
  }

  function* receive(transfer: Transfer): Task {
    const { forwarded } = yield* call(shard, () => shard.receive(transfer));
    send(forwarded);
  }

  function* overdue(): Task {
    yield* call(shard, () => shard.cancelOverdue(sim.now));
  }

  bus.subscribe(process, 'deltas', (delta) => {
    const known = reports.get(delta.peer);
    if (!known || known.version <= delta.version) reports.set(delta.peer, delta);
  });
  bus.subscribe(process, 'commands', (command) => {
    if (command.source !== shard.peer) return;
    process.spawn(quietly(execute(command)));
  });
  bus.subscribe(process, 'transfers', (transfer) => {
    if (transfer.to !== shard.peer) return;
    process.spawn(quietly(receive(transfer)));
  });
  process.spawn(forever(sim, 30, report));
  if (!world.without('resend-unreported')) process.spawn(forever(sim, 300, resend));
  if (scenario.paymentDeadline !== undefined) process.spawn(forever(sim, 250, overdue));
}

/** It enters the registry first, then copies the nodes' epochs, and is used then. */
function* join(world: World, shard: ShardModel): Task {
  const { registry: pool } = world;
  const { peer } = shard;
  if (peer === 'pool') return;
  const enter = function* (): Task {
    yield* call(pool, () => pool.enterShard(peer, shard.shardIncarnation));
  };
  if (!world.without('enter-before-copying')) yield* enter();
  const { nodes } = yield* call(pool, () => pool.read());
  const epochs = nodes.map(({ id, epoch }) => ({ node: id, epoch }));
  yield* call(shard, () => shard.join(INCARNATION, epochs));
  if (world.without('enter-before-copying')) yield* enter();
  yield* call(pool, () => pool.shardJoined(peer));
}
