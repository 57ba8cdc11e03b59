// Whoever applies the resource: the first supply, and every edit, until the registry has taken it.

import { call, forever, Process, type Task } from '../engine/sim.ts';
import type { World } from '../world.ts';

export function operator(world: World): Process {
  const { sim, registry, scenario } = world;
  /** Survives the process: it is the resource. */
  let stock = scenario.stock;
  let count = scenario.nodes;
  let paused = false;
  for (const edit of scenario.edits) {
    sim.after(edit.at, () => {
      sim.note(`edit: ${JSON.stringify(edit)}`);
      if (edit.kind === 'stock') stock = edit.units;
      else if (edit.kind === 'nodes') count = edit.count;
      else if (edit.kind === 'pause') paused = edit.paused;
      else world.addShard();
      world.edited++;
      while (world.nodes.size < count) world.addNode();
    });
  }
  return new Process(sim, 'operator', (process) => {
    function* apply(): Task {
      const view = yield* call(registry, () => registry.read());
      if (view.wantedCount !== count) yield* call(registry, () => registry.wantNodes(count));
      if (view.paused !== paused) {
        const wanted = paused;
        yield* call(registry, () => {
          registry.paused = wanted;
        });
      }
      const [generation, units] = [world.edited, stock];
      if (view.generation < generation) yield* call(registry, () => registry.setSupply(generation, units));
      world.applied = generation;
    }
    process.spawn(forever(sim, 200, apply));
  });
}
