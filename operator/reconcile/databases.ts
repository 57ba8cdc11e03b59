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
  /** Servers that could not be given their roles and databases yet, in words. */
  waiting: string[];
}

/** Tries each server whose pod answers, and names those that are still waited for. */
export async function makeDatabases(
  { log }: ReconcileContext,
  { attempts, provisioned }: SaleState,
  config: SaleConfig,
  secrets: ReadonlyMap<string, string>,
  pods: readonly PodView[],
): Promise<Provisioned> {
  const waiting: string[] = [];
  const secret = (name: string) => secrets.get(name) ?? '';
  const servers: { holder: StockHolderId; host: string; port: number; database: string }[] = [
    { holder: 'pool', ...config.pool },
    ...config.shards.map((shard) => ({ holder: shard.id, ...shard })),
  ];
  await Promise.all(
    servers.map(async ({ holder, host, port, database }) => {
      const pod = pods.find(({ component, index }) =>
        holder === 'pool' ? component === 'pool' : component === 'shard' && `s${index}` === holder,
      );
      const answers = pod?.containers.find(({ name }) => name === 'postgres')?.ready ?? false;
      if (pod && provisioned.get(holder) === pod.uid) return;
      if (!pod || !answers) {
        waiting.push(`the PostgreSQL server of ${holder}`);
        return;
      }
      const administrator = { host, port, user: SUPERUSER, password: secret(SUPERUSER_SECRET) };
      const attempt = await attempts.try(`databases of ${holder}`, async () => {
        const made = await provision(administrator, [database], secret);
        if (made.length > 0) log.info({ holder }, 'database made');
        provisioned.set(holder, pod.uid);
      });
      if (attempt.done) return;
      const why = attempt.error && `, which does not answer: ${attempt.error.message}`;
      waiting.push(`the PostgreSQL server of ${holder}${why ?? ''}`);
    }),
  );
  return { pool: provisioned.has('pool'), waiting };
}
