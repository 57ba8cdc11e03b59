// The shards as a cache agent knows them: one connection to each, as the configuration says. A shard never leaves; one
// that moved is connected anew.

import type { ShardConfig } from '../protocol/config.ts';
import type { ShardId } from '../protocol/units.ts';
import type { CacheShard } from '../stores/shard/shard.ts';

export class Shards {
  readonly #connect: (config: ShardConfig) => CacheShard;
  readonly #links = new Map<ShardId, { config: ShardConfig; client: CacheShard }>();

  constructor(connect: (config: ShardConfig) => CacheShard, shards: readonly ShardConfig[]) {
    this.#connect = connect;
    this.configure(shards);
  }

  get(id: ShardId): CacheShard | undefined {
    return this.#links.get(id)?.client;
  }

  configure(shards: readonly ShardConfig[]): void {
    for (const config of shards) {
      const known = this.#links.get(config.id);
      if (known && sameAddress(known.config, config)) continue;
      this.#links.set(config.id, { config, client: this.#connect(config) });
      void known?.client.close();
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#links.values()].map(({ client }) => client.close()));
  }
}

const sameAddress = (a: ShardConfig, b: ShardConfig): boolean =>
  a.host === b.host && a.port === b.port && a.database === b.database;
