// Sales of a cluster as text: one in full, or several, one a line. Pure, but for colours.

import type { FlashSale } from '../api/flashsale.gen.ts';
import { number, styled, table } from '../cli/output.ts';
import { fullName } from '../cli/sales.ts';
import { statusText } from '../cli/status-text.ts';
import { type PodReport, podsTable } from './pods.ts';

/** Describes one sale. `pods` is undefined when this user may not see them. */
export function saleText(sale: FlashSale, pods: PodReport[] | undefined, now: number): string {
  const { namespace, name } = sale.metadata;
  const waitingFor = whatFor(sale);
  return statusText(
    {
      namespace,
      name,
      status: sale.status ?? {},
      ...(waitingFor === undefined ? {} : { waitingFor }),
      parts: pods === undefined ? 'its pods may not be seen by you' : podsTable(pods, now),
    },
    now,
  );
}

const ENDING = 'its parts to end: it is being deleted';

export function whatFor({ metadata, status }: FlashSale): string | undefined {
  if (metadata.deletionTimestamp !== undefined) {
    const progress = status?.conditions?.find(({ type }) => type === 'Progressing');
    return progress?.reason === 'Draining' ? `its last order events: ${progress.message}` : ENDING;
  }
  return status?.observedGeneration === metadata.generation ? undefined : 'the operator to look at the newest edit';
}

/** Writes one line for each sale. `namespaces` says whether to name the namespace of each. */
export const salesTable = (sales: FlashSale[], namespaces: boolean): string =>
  table(
    [
      ['SALE', 'PHASE', 'READY', 'SUPPLIED', 'SOLD', 'AVAILABLE', 'LIVE TOKENS', ''],
      ...sales.map((sale) => {
        const { status = {} } = sale;
        return [
          namespaces ? fullName(sale) : sale.metadata.name,
          status.phase ?? 'Pending',
          conditionOf(sale, 'Ready')?.status ?? 'Unknown',
          ...[status.supplied, status.sold, status.available, status.tokensLive].map(number),
          newsOf(sale),
        ];
      }),
    ],
    [3, 4, 5, 6],
  );

/** What somebody should know about it. Empty: nothing. */
export function newsOf(sale: FlashSale): string {
  const waiting = whatFor(sale);
  if (waiting !== undefined) return styled('yellow', `waiting for ${waiting}`);
  const [ready, degraded] = [conditionOf(sale, 'Ready'), conditionOf(sale, 'Degraded')];
  const fault = degraded?.status === 'True' ? degraded : ready?.status === 'False' ? ready : undefined;
  return fault === undefined ? '' : styled('red', `${fault.reason}: ${fault.message}`);
}

const conditionOf = ({ status }: FlashSale, wanted: string) => status?.conditions?.find(({ type }) => type === wanted);
