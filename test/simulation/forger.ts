// Somebody who has the key of the sale's messages and means harm: sends what the databases and the registry must refuse
// by themselves. (Who has no key is not believed at all: test/integration/bus. Who has one can also lie in reports, which
// makes a sale slower and is not among what is forged here.)

import type { StockHolderId } from '../../dataplane/protocol/units.ts';
import type { World } from './world.ts';

const INVENTED = 's7';
const ENORMOUS = 9e15;

/** Sends one forged message of a kind that the seed chooses. */
export function forge({ sim, stores, incarnation }: World): void {
  if (incarnation === undefined) return;
  const { random } = sim;
  const shard = random.pick([...stores.shards.keys()]);
  const holder: StockHolderId = random.pick([shard, 'pool']);
  const legs = [{ destination: shard, units: 1000 }];
  switch (random.between(0, 2)) {
    case 0: {
      const stock = { units: random.between(1, 1000), version: random.between(1, 1000), previous: 0 };
      const value = {
        incarnation,
        from: INVENTED,
        fromIncarnation: 'a life',
        to: holder,
        destination: holder,
        ...stock,
      } as const;
      stores.bus.publish('transfers', [{ key: holder, value }]);
      return;
    }
    case 1:
      stores.bus.publish('commands', [
        { key: holder, value: { incarnation, source: holder, term: ENORMOUS, sequence: 1, legs } },
      ]);
      return;
    default: {
      const { peerIncarnation } = stores.shards.get(shard)?.model ?? { peerIncarnation: '' };
      const totals = { available: 0, sold: 1000, cancelled: 1000, missed: 0, missedMax: 0, received: 0 };
      const value = { incarnation, peer: shard, peerIncarnation, version: 0, fromVersion: 0, delta: 0, ...totals };
      const rest = { sent: {}, receivedVersions: {}, command: { term: 0, sequence: 0 } };
      stores.bus.publish('deltas', [{ key: shard, value: { ...value, ...rest } }]);
    }
  }
}
