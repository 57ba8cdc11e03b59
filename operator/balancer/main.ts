// The balancer as a process of its own (local mode): --config FILE --secrets FOLDER --metrics HOST:PORT. In a cluster
// the operator's leader runs the same loop. Two at once are harmless: the one with the lower term is refused.

import { databaseSecret } from '../../dataplane/protocol/config.ts';
import { connectBus } from '../../dataplane/runtime/bus-kafka.ts';
import { systemClock } from '../../dataplane/runtime/clock.ts';
import { watchConfig } from '../../dataplane/runtime/config.ts';
import { runRole } from '../../dataplane/runtime/role.ts';
import { connectOperatorRegistry } from '../../dataplane/stores/registry/postgres.ts';
import { startBalancer } from './loop.ts';

await runRole('balancer', process.argv.slice(2), async (role) => {
  const { config, secret, log, metrics } = role;
  role.ready = () => 'waiting for the registry';
  const registry = connectOperatorRegistry(config.pool, secret(databaseSecret('operator')), {});
  role.onStop(() => registry.close());
  const bus = connectBus(config.kafka, secret, log, metrics);
  role.onStop(() => bus.close());
  const balancer = await startBalancer({ bus, registry, clock: systemClock, log, metrics }, config);
  role.onStop(() => balancer.stop());
  role.onStop(watchConfig(role, (edited) => balancer.update(edited)));
  role.ready = () => undefined;
});
