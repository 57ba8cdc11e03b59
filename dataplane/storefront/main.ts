// The storefront as a process: connects the real stores, serves buyers on --listen, follows edits of the
// configuration, and drains when told to stop.
//
// node dataplane/storefront/main.ts --config FILE --secrets FOLDER --listen HOST:PORT --metrics HOST:PORT [--id ID]

import { readFileSync } from 'node:fs';
import { databaseSecret, redisSecret, SECRETS } from '../protocol/config.ts';
import { connectBus } from '../runtime/bus-kafka.ts';
import { systemClock } from '../runtime/clock.ts';
import { watchConfig } from '../runtime/config.ts';
import { failpoint } from '../runtime/failpoint.ts';
import { runRole } from '../runtime/role.ts';
import { connectStorefrontNode } from '../stores/cache-node/redis.ts';
import { connectStorefrontShard } from '../stores/shard/postgres.ts';
import { CHECKOUT_BATCHER } from './checkout-batcher.ts';
import { refillClient } from './refill.ts';
import { createStorefront } from './storefront.ts';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

await runRole('storefront', process.argv.slice(2), async (role) => {
  const { config, listen, log, secret } = role;
  if (listen === undefined) throw new Error('storefront needs --listen HOST:PORT');
  const passwords = { redis: secret(redisSecret('storefront')), postgres: secret(databaseSecret('storefront')) };
  const internal = secret(SECRETS.internal);
  // A benchmark sets this to measure what batches are worth.
  const rows = process.env.FLASHSALE_BATCH_ROWS;

  const storefront = createStorefront(config, {
    stores: {
      node: (node) => connectStorefrontNode(node, passwords.redis),
      shard: (shard) => connectStorefrontShard(shard, passwords.postgres),
      refill: (agent, failed) => refillClient(agent, internal, failed),
    },
    secret,
    configFile: role.configFile,
    version,
    log,
    metrics: role.metrics,
    committed: () => failpoint('storefront', role.id, 'checkout-committed'),
    random: Math.random,
    clock: systemClock,
    ...(rows ? { batcher: { ...CHECKOUT_BATCHER, most: Number(rows) } } : {}),
  });
  role.onStop(watchConfig(role, storefront.edit));

  const bus = connectBus(config.kafka, secret, log, role.metrics);
  role.onStop(() => bus.close());
  await storefront.follow(bus);
  // This step is registered last, so stopping begins with it.
  role.onStop(() => storefront.drain());

  const { http } = storefront.server;
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject);
    http.listen(listen.port, listen.host, resolve);
  });
  role.ready = storefront.ready;
  log.info({ ...listen }, 'serving buyers');
});
