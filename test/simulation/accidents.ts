// What goes wrong in a run, by the seed: processes die, servers restart or lose their data, stores are out of reach,
// clocks jump, Kafka is away or forgets. Answers how to end it all.

import type { Millis } from '../../dataplane/protocol/units.ts';
import type { World } from './world.ts';

export function letThingsGoWrong(world: World): () => void {
  const { sim, scenario, bus, nodes, shards, registry, mortals } = world;
  const { random } = sim;
  const { every } = scenario;
  let healed = false;

  const about = (mean: Millis, happen: () => void): void => {
    if (mean === Number.POSITIVE_INFINITY) return;
    sim.after(mean * (0.2 + 1.6 * random.next()), () => {
      if (healed) return;
      happen();
      about(mean, happen);
    });
  };
  const briefly = (): Millis => random.between(20, 1500);

  about(every.crash, () => {
    const victim = random.pick(mortals);
    victim.kill();
    sim.after(briefly(), () => victim.start());
  });
  about(every.restart, () => {
    const node = random.pick([...nodes.values()]);
    node.save();
    sim.after(random.between(0, 900), () => {
      sim.note(`${node.id} restarts`);
      node.restart(scenario.durability === 'Always' ? 'all' : 'saved');
    });
  });
  about(every.loss, () => {
    const node = random.pick([...nodes.values()]);
    sim.note(`${node.id} loses its data`);
    node.restart('nothing');
  });
  about(every.outage, () => {
    const store = random.pick([...nodes.values(), ...shards.values(), registry]);
    sim.note(`${store.name} is out of reach`);
    store.up = false;
    sim.after(random.chance(0.2) ? 4000 : briefly(), () => {
      store.up = true;
    });
  });
  about(every.clock, () => {
    const node = random.pick([...nodes.values()]);
    node.skew = random.between(-200_000, 200_000);
    sim.note(`the clock of ${node.id} jumps by ${node.skew}`);
  });
  about(every.kafka, () => {
    if (random.chance(0.3)) return bus.wipe();
    sim.note('Kafka is away');
    bus.up = false;
    sim.after(briefly(), () => {
      bus.up = true;
    });
  });

  return () => {
    healed = true;
    sim.note('everything heals');
    Object.assign(sim.faults, { lost: 0, unanswered: 0, late: 0 });
    Object.assign(bus.faults, { lost: 0, repeated: 0, delayed: 0 });
    bus.up = true;
    for (const store of [...nodes.values(), ...shards.values(), registry]) store.up = true;
    for (const process of mortals) process.start();
  };
}
