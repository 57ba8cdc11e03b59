// A bus that loses, repeats, delays and reorders what is published on it, by a seeded random: everything that Kafka
// may do and more. What it does to a message is decided when it is published.

import type { Millis } from '../../../dataplane/protocol/units.ts';
import type { Bus } from '../../../dataplane/runtime/bus.ts';

export interface Mischief {
  lose: number;
  repeat: number;
  delay: number;
  longest: Millis;
}

/** mulberry32: 32 bits of state, in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export function lossyBus(bus: Bus, random: () => number, { lose, repeat, delay, longest }: Mischief): Bus {
  return {
    ...bus,
    async publish(topic, messages) {
      for (const message of messages) {
        if (random() < lose) continue;
        const copies = random() < repeat ? 2 : 1;
        for (let i = 0; i < copies; i++) {
          const wait = random() < delay ? random() * longest : 0;
          setTimeout(() => void bus.publish(topic, [message]), wait);
        }
      }
      // Its word is worth nothing either.
      return random() >= lose;
    },
  };
}
