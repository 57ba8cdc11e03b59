// What goes wrong in a run, by the seed: processes die, stall or are replaced, servers restart or lose their data,
// stores are out of reach, clocks jump, Kafka is away or forgets. Answers how to end it all.

import type { Millis } from '../../dataplane/protocol/units.ts';
import { NO_BUS_FAULTS } from '../models/bus.ts';
import { NO_FAULTS } from './engine/simulation.ts';
import { forge } from './forger.ts';
import type { World } from './world.ts';

export function letThingsGoWrong(world: World): () => void {
  const { sim, scenario, stores, roles } = world;
  const { bus } = stores;
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
  const anyNode = () => random.pick([...stores.nodes.values()]);

  about(every.crash, () => {
    const victim = random.pick(roles);
    victim.process.end();
    sim.after(briefly(), () => {
      if (!victim.process.alive) world.restart(victim);
    });
  });
  about(every.replace, () => {
    const replaced = random.pick(roles);
    world.restart(replaced, random.between(1, 5000));
  });
  about(every.stall, () => {
    const { process } = random.pick(roles);
    if (process.alive) process.stall(random.chance(0.3) ? random.between(1500, 6000) : briefly());
  });
  about(every.lock, () => {
    sim.note('lock', "the session of the pool's agent is cut");
    world.lock.cut();
  });
  about(every.restart, () => {
    const node = anyNode();
    node.model.save();
    sim.after(random.between(0, 900), () => {
      sim.note(node.name, 'restarts');
      node.model.restart(scenario.durability === 'Always' ? 'all' : 'saved');
    });
  });
  about(every.loss, () => {
    const node = anyNode();
    sim.note(node.name, 'loses its data');
    node.model.restart('nothing');
  });
  about(every.outage, () => {
    const place = random.pick(stores.places());
    sim.note(place.name, 'is out of reach');
    place.up = false;
    sim.after(random.chance(0.2) ? 4000 : briefly(), () => {
      place.up = true;
    });
  });
  about(every.clock, () => {
    const node = anyNode();
    node.model.skew = random.between(-200_000, 200_000);
    sim.note(node.name, `its clock jumps by ${node.model.skew} ms`);
  });
  about(every.kafka, () => {
    if (random.chance(0.3)) {
      sim.note('kafka', 'loses everything');
      return bus.wipe();
    }
    sim.note('kafka', 'is away');
    bus.up = false;
    sim.after(briefly(), () => {
      bus.up = true;
    });
  });

  about(every.forger, () => forge(world));

  return () => {
    healed = true;
    sim.note('weather', 'everything heals');
    sim.faults = NO_FAULTS;
    Object.assign(bus.faults, NO_BUS_FAULTS);
    if (!bus.up) bus.up = true;
    for (const place of stores.places()) place.up = true;
    for (const role of roles) if (!role.process.alive) world.restart(role);
  };
}
