// The shard agent: `--id s0` for the agent of a shard, `--id pool --listen HOST:PORT` for that of the transfer pool.

import { isShardId } from '../protocol/units.ts';
import { runRole } from '../runtime/role.ts';
import { runPoolAgent } from './pool/run.ts';
import { runShardAgent } from './run.ts';

try {
  await runRole('shard-agent', process.argv.slice(2), (role) => {
    if (role.id === 'pool') return runPoolAgent(role);
    if (role.id !== undefined && isShardId(role.id)) return runShardAgent(role, role.id);
    throw new Error('the shard agent needs --id s0, s1, … or --id pool');
  });
} catch (error) {
  console.error(`flashsale shard-agent: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
