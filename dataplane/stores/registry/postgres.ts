// The registry's interfaces on the pool's PostgreSQL database: each method is one function of dataplane/stores/shard/sql.

import type { DatabaseUser } from '../../protocol/config.ts';
import type { Epoch, Units } from '../../protocol/units.ts';
import { Database, type DatabaseAddress, type DatabaseOptions } from '../postgres.ts';
import type { AgentRegistry, CacheRegistry, OperatorRegistry, RegistryView } from './registry.ts';

type Options = Partial<DatabaseOptions>;

const open = (address: DatabaseAddress, user: DatabaseUser, password: string, options: Options): Database =>
  new Database(address, user, password, { connections: 2, ...options });

const read = (database: Database): Promise<RegistryView | undefined> =>
  database.value<RegistryView>('registry', 'SELECT flashsale.registry()');

export function connectOperatorRegistry(
  address: DatabaseAddress,
  password: string,
  options: Options = {},
): OperatorRegistry {
  const database = open(address, 'operator', password, options);
  return {
    read: () => read(database),
    async setSupply(incarnation, generation, target) {
      return (
        (await database.value<boolean>('set_supply', 'SELECT flashsale.set_supply($1, $2, $3)', [
          ...[incarnation, generation, target],
        ])) ?? false
      );
    },
    async setPaused(incarnation, generation, paused) {
      const answer = await database.value<boolean>('set_paused', 'SELECT flashsale.set_paused($1, $2, $3)', [
        ...[incarnation, generation, paused],
      ]);
      return answer ?? false;
    },
    async wantNodes(incarnation, generation, count) {
      const answer = await database.value<boolean>('want_nodes', 'SELECT flashsale.want_nodes($1, $2, $3)', [
        ...[incarnation, generation, count],
      ]);
      return answer ?? false;
    },
    async nextTerm() {
      const term = await database.value<number>('next_term', 'SELECT flashsale.next_term()');
      if (term === undefined) throw new TypeError('next_term() answers a number');
      return term;
    },
    close: () => database.close(),
  };
}

function cacheRegistry(database: Database): CacheRegistry {
  return {
    read: () => read(database),
    raiseEpoch: (incarnation, node, from) =>
      database.value<Epoch>('raise_node_epoch', 'SELECT flashsale.raise_node_epoch($1, $2, $3)', [
        incarnation,
        node,
        from,
      ]),
    close: () => database.close(),
  };
}

export const connectCacheRegistry = (
  address: DatabaseAddress,
  password: string,
  options: Options = {},
): CacheRegistry => cacheRegistry(open(address, 'cache', password, options));

export function connectAgentRegistry(address: DatabaseAddress, password: string, options: Options = {}): AgentRegistry {
  const database = open(address, 'owner', password, options);
  return {
    ...cacheRegistry(database),
    async initialize() {
      await database.rows('initialize', 'SELECT flashsale.initialize()');
    },
    async enterShard(incarnation, id, shardIncarnation) {
      await database.rows('enter_shard', 'SELECT flashsale.enter_shard($1, $2, $3)', [
        incarnation,
        id,
        shardIncarnation,
      ]);
    },
    async shardJoined(incarnation, id) {
      await database.rows('shard_joined', 'SELECT flashsale.shard_joined($1, $2)', [incarnation, id]);
    },
    async setReachable(incarnation, node, reachable) {
      await database.rows('set_reachable', 'SELECT flashsale.set_reachable($1, $2, $3)', [
        incarnation,
        node,
        reachable,
      ]);
    },
    async book(incarnation, node, epoch, revokedTotal, grantTo) {
      const [row] = await database.rows<{ booked: Units; owed: Units; granted: Units }>(
        'book',
        'SELECT * FROM flashsale.book($1, $2, $3, $4, $5)',
        [incarnation, node, epoch, revokedTotal, grantTo],
      );
      if (!row) throw new TypeError('book() answers one row');
      return row;
    },
    async tellCancelled(incarnation, id, shardIncarnation, total) {
      await database.rows('tell_cancelled', 'SELECT flashsale.tell_cancelled($1, $2, $3, $4)', [
        ...[incarnation, id, shardIncarnation, total],
      ]);
    },
    async credit(incarnation, shard, node) {
      return (
        (await database.value<Units>('credit', 'SELECT flashsale.credit($1, $2, $3)', [incarnation, shard, node])) ?? 0
      );
    },
    async payOwed(incarnation) {
      return (await database.value<Units>('pay_owed', 'SELECT flashsale.pay_owed($1)', [incarnation])) ?? 0;
    },
    async resize(incarnation, layout, from, to, held) {
      const answer = await database.value<boolean>('resize', 'SELECT flashsale.resize($1, $2, $3, $4, $5)', [
        ...[incarnation, layout, from, to, JSON.stringify(held)],
      ]);
      return answer ?? false;
    },
  };
}
