// What an API server would make of a file, as whoever keeps the sale would apply it. Asks for a dry run: nothing is
// changed.

import type { FlashSale } from '../api/flashsale.gen.ts';
import { asSale } from '../cli/sales.ts';
import type { KubeClient } from '../kube/client.ts';
import { KubeError } from '../kube/errors.ts';
import { type KubeObject, RESOURCES } from '../kube/objects.ts';
import { type Complaint, complaintsOf } from './complaints.ts';
import { mergePatch } from './merge-patch.ts';
import { applierOf, lastApplied } from './source.ts';

export interface Verdict {
  /** The object as it would be stored; absent: it would be refused. */
  after?: FlashSale;
  complaints: Complaint[];
}

/** Asks the API server what an apply would do. `live` is undefined when there is no such sale yet. */
export async function dryRun(client: KubeClient, written: KubeObject, live: FlashSale | undefined): Promise<Verdict> {
  if (!live) return verdictOf(() => client.create(written, { dryRun: true }));
  const applied = lastApplied(live);
  const fieldManager = applierOf(live);
  if (applied === undefined && fieldManager !== undefined) {
    const apply = (force: boolean) => verdictOf(() => client.apply(written, { dryRun: true, force, fieldManager }));
    const verdict = await apply(false);
    // Somebody else has set a field: what would be if it was taken over?
    return verdict.after || !verdict.conflicts ? verdict : { ...(await apply(true)), complaints: verdict.complaints };
  }
  const { namespace, name } = live.metadata;
  const patch = { spec: mergePatch(applied?.spec, written.spec) };
  return verdictOf(() => client.patch(RESOURCES.FlashSale, namespace, name, patch, { dryRun: true }));
}

async function verdictOf(ask: () => Promise<KubeObject>): Promise<Verdict & { conflicts?: boolean }> {
  try {
    return { after: asSale(await ask()), complaints: [] };
  } catch (error) {
    const complaints = error instanceof KubeError ? complaintsOf(error) : undefined;
    if (complaints === undefined) throw error;
    return { complaints, conflicts: error instanceof KubeError && error.conflicts.length > 0 };
  }
}
