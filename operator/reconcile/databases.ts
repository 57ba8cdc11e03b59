// Gives every database server of a sale that has come up its roles and its database. Idempotent; a pod that was replaced
// is looked at again.

import type { SaleConfig } from '../../dataplane/protocol/config.ts';
import type { StockHolderId } from '../../dataplane/protocol/units.ts';
import { provision } from '../sale/databases.ts';
import { SUPERUSER, SUPERUSER_SECRET } from '../topology/postgres-settings.ts';
import type { ReconcileContext, SaleState } from './context.ts';
import type { PodView } from './observed.ts';

export interface Provisioned {
  /** The pool's database has its roles: the registry can be asked. */
  pool: boolean;
  /** Servers that could not be given theirs yet, in words. */
  waiting: string[];
}

export async function makeDatabases(
  { log }: ReconcileContext,
  { attempts, provisioned }: SaleState,
  config: SaleConfig,
  secrets: ReadonlyMap<string, string>,
  pods: readonly PodView[],
): Promise<Provisioned> {
  const waiting: string[] = [];
  const secret = (name: string) => secrets.get(name) ?? '';
  const servers: { peer: StockHolderId; host: string; port: number; database: string }[] = [
    { peer: 'pool', ...config.pool },
    ...config.shards.map((shard) => ({ peer: shard.id, ...shard })),
  ];
  await Promise.all(
    servers.map(async ({ peer, host, port, database }) => {
      const pod = pods.find(({ component, index }) =>
        peer === 'pool' ? component === 'pool' : component === 'shard' && `s${index}` === peer,
      );
      const answers = pod?.containers.find(({ name }) => name === 'postgres')?.ready ?? false;
      if (pod && provisioned.get(peer) === pod.uid) return;
      if (!pod || !answers) {
        waiting.push(`the PostgreSQL server of ${peer}`);
        return;
      }
      const administrator = { host, port, user: SUPERUSER, password: secret(SUPERUSER_SECRET) };
      const attempt = await attempts.try(`databases of ${peer}`, async () => {
        const made = await provision(administrator, [database], secret);
        if (made.length > 0) log.info({ peer }, 'database made');
        provisioned.set(peer, pod.uid);
      });
      if (attempt.done) return;
      const why = attempt.error && `, which does not answer: ${attempt.error.message}`;
      waiting.push(`the PostgreSQL server of ${peer}${why ?? ''}`);
    }),
  );
  return { pool: provisioned.has('pool'), waiting };
}
