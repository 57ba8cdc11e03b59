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
    async setSupply(generation, target) {
      return (
        (await database.value<boolean>('set_supply', 'SELECT flashsale.set_supply($1, $2)', [generation, target])) ??
        false
      );
    },
    async setPaused(paused) {
      await database.rows('set_paused', 'SELECT flashsale.set_paused($1)', [paused]);
    },
    async wantNodes(count) {
      await database.rows('want_nodes', 'SELECT flashsale.want_nodes($1)', [count]);
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
    raiseEpoch: (node, from) =>
      database.value<Epoch>('raise_node_epoch', 'SELECT flashsale.raise_node_epoch($1, $2)', [node, from]),
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
    async enterShard(id, shardIncarnation) {
      await database.rows('enter_shard', 'SELECT flashsale.enter_shard($1, $2)', [id, shardIncarnation]);
    },
    async shardJoined(id) {
      await database.rows('shard_joined', 'SELECT flashsale.shard_joined($1)', [id]);
    },
    async setReachable(node, reachable) {
      await database.rows('set_reachable', 'SELECT flashsale.set_reachable($1, $2)', [node, reachable]);
    },
    async book(node, epoch, revokedTotal, grantTo) {
      const [row] = await database.rows<{ booked: Units; owed: Units; granted: Units }>(
        'book',
        'SELECT * FROM flashsale.book($1, $2, $3, $4)',
        [node, epoch, revokedTotal, grantTo],
      );
      if (!row) throw new TypeError('book() answers one row');
      return row;
    },
    async credit(shard, cancelledTotal, node) {
      return (
        (await database.value<Units>('credit', 'SELECT flashsale.credit($1, $2, $3)', [shard, cancelledTotal, node])) ??
        0
      );
    },
    async payOwed() {
      return (await database.value<Units>('pay_owed', 'SELECT flashsale.pay_owed()')) ?? 0;
    },
    async resize(layout, from, to, held) {
      const answer = await database.value<boolean>('resize', 'SELECT flashsale.resize($1, $2, $3, $4)', [
        ...[layout, from, to, JSON.stringify(held)],
      ]);
      return answer ?? false;
    },
  };
}
