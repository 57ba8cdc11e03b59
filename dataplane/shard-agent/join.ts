// How a shard becomes one of the sale's. The order of the steps is the protocol's: it enters the registry first, then
// reads the nodes' epochs and copies them (only upward), and only then is used; so a node that recovers meanwhile
// either finds the shard in the list or has raised the epoch before it was read.

import type { Millis, ShardId } from '../protocol/units.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';
import type { AgentRegistry } from '../stores/registry/registry.ts';
import type { AgentShard } from '../stores/shard/shard.ts';

const RETRY: Millis = 200;

/** Resolves false when the registry is not made yet. Rejects with StoreUnknown while a database is away. */
async function tryToJoin(id: ShardId, shard: AgentShard, registry: AgentRegistry): Promise<boolean> {
  const { peerIncarnation } = await shard.state();
  const before = await registry.read();
  if (before === undefined) return false;
  const { incarnation } = before;
  await registry.enterShard(incarnation, id, peerIncarnation);
  const view = await registry.read();
  if (view?.incarnation !== incarnation) return false;
  await shard.join(
    incarnation,
    id,
    view.nodes.map(({ id: node, epoch }) => ({ node, epoch })),
  );
  await registry.shardJoined(incarnation, id);
  return true;
}

/** Tries until it joined or is told to stop. Repeated by every new agent: raising an epoch to the registry's never hurts. */
export async function join(
  id: ShardId,
  shard: AgentShard,
  registry: AgentRegistry,
  clock: Clock,
  log: Logger,
  stop: AbortSignal,
): Promise<void> {
  await retry('joining the sale', clock, log, stop, () => tryToJoin(id, shard, registry));
}

/** Repeats until the attempt answers true. Says once why it does not work yet. */
export async function retry(
  what: string,
  clock: Clock,
  log: Logger,
  stop: AbortSignal,
  attempt: () => Promise<boolean>,
): Promise<void> {
  let said = false;
  while (!stop.aborted) {
    try {
      if (await attempt()) return;
    } catch (error) {
      if (!said) log.warn({ err: error }, `${what}: not yet; trying again`);
      said = true;
    }
    await clock.sleep(RETRY, stop);
  }
}
