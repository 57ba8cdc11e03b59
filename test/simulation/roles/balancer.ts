// The balancer: the real table and the real decisions.

import { ResourceTable } from '../../../dataplane/protocol/table.ts';
import { decide, type Memory, startMemory } from '../../../operator/balancer/decide.ts';
import { policyOf } from '../../../operator/balancer/policy.ts';
import { call, forever, Process, sleep, type Task } from '../engine/sim.ts';
import { INCARNATION } from '../model/pool.ts';
import type { World } from '../world.ts';

export function balancer(world: World, name: string): Process {
  const { sim, bus, registry, scenario } = world;
  return new Process(sim, name, (process) => {
    const table = new ResourceTable(INCARNATION);
    let memory: Memory | undefined;
    bus.subscribe(process, 'deltas', (delta) => table.applyDelta(delta, sim.now));
    bus.subscribe(process, 'levels', (level) => table.applyLevel(level, sim.now));

    function* plan(): Task {
      memory ??= startMemory(yield* call(registry, () => registry.nextTerm()), sim.now);
      const shards = [...world.shards.keys()].map((id) => ({ id, host: '', port: 0, database: id }));
      const decision = decide(table, policyOf({ balancer: scenario.balancer, shards }), sim.now, memory);
      memory = decision.memory;
      for (const command of decision.commands) bus.publish('commands', command.source, command);
      world.reportFault(table.disagreements > 0, 'R13: a report whose change and result do not fit together');
      if (!decision.superseded) return;
      memory = undefined;
      yield* sleep(5000);
    }
    process.spawn(forever(sim, 40, plan));
  });
}
