// Joins a shard to the sale. The order of the steps is the protocol's: the shard enters the registry first, then the
// nodes' epochs are read and copied (only upward), and only then is the shard used. So a node that recovers meanwhile
// either finds the shard in the list, or has raised its epoch before it was read. Joining names the database that was
// read: a late call must not bind one that was made anew to a sale that is no more.

import type { Millis, ShardId } from '../protocol/units.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';
import type { AgentRegistry } from '../stores/registry/registry.ts';
import type { AgentShard } from '../stores/shard/shard.ts';

const RETRY: Millis = 200;

/** Resolves to false when the registry is not made yet. Rejects with StoreUnknown while a database is away. */
async function tryToJoin(id: ShardId, shard: AgentShard, registry: AgentRegistry): Promise<boolean> {
  const before = await registry.read();
  if (before === undefined) return false;
  const { incarnation } = before;
  // It is read after the registry: of a sale that is made anew meanwhile, an earlier life would enter the new registry,
  // and the shard's own database would be refused for ever.
  const { peerIncarnation } = await shard.state();
  await registry.enterShard(incarnation, id, peerIncarnation);
  const view = await registry.read();
  if (view?.incarnation !== incarnation) return false;
  await shard.join(
    incarnation,
    id,
    peerIncarnation,
    view.nodes.map(({ id: node, epoch }) => ({ node, epoch })),
  );
  await registry.shardJoined(incarnation, id);
  return true;
}

/**
 * Tries until the shard has joined or `stop` is aborted. Every new agent does it again: raising an epoch to the
 * registry's does no harm.
 */
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

/** Repeats the attempt until it resolves to true or `stop` is aborted. The first failure is logged. */
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
