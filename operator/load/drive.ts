// A crowd against a sale of this machine, from the first arrival to the audit: what `flashsale load` and hack/demo
// have in common.

import { isInsecure, type SaleConfig } from '../../dataplane/protocol/config.ts';
import { UserError } from '../../dataplane/runtime/user-error.ts';
import { type Audited, audit } from '../audit/audit.ts';
import type { AuditReport } from '../audit/check.ts';
import type { LoadOptions } from './plan.ts';
import { type LoadReport, loadReport } from './report.ts';
import { runLoad } from './run.ts';
import { showProgress } from './show.ts';
import type { Tally } from './tally.ts';

export interface DriveOptions {
  config: SaleConfig;
  /** The sale as it is by then. */
  audited: () => Promise<Audited> | Audited;
  urls: string[];
  crowd: LoadOptions;
  startSeconds: number;
  /** Shows the moving line; absent: nobody sees it. */
  progress?: NodeJS.WriteStream;
}

export interface Driven {
  tally: Tally;
  audit: AuditReport;
  report: LoadReport;
}

/** Throws `UserError` when the sale asks for something the generator cannot give. */
export async function drive(options: DriveOptions): Promise<Driven> {
  const { config, crowd } = options;
  const { auth } = config;
  if (auth.kind !== 'header' || !isInsecure(auth))
    throw new UserError(
      'the load generator invents its buyers, and this sale asks them to prove who they are; rehearse with spec.auth: {trustedHeader: {name: X-Buyer-Id, insecure: true}}',
    );
  if (crowd.cancel > 0 && config.orders.paymentDeadline === undefined)
    throw new UserError('--cancel needs spec.orders.paymentDeadline: without it orders are final');
  const shown = options.progress && showProgress(config.stock, options.progress);
  const tally = await runLoad({
    ...crowd,
    urls: options.urls,
    header: auth.header,
    connections: 64,
    maxWait: 8 * config.token.ttl + 30_000,
    timeout: 10_000,
    ...(shown ? { progress: (now: Tally) => shown.update(now) } : {}),
  });
  shown?.stop();
  const found = await audit(options.audited, { timeout: 2 * config.token.ttl + 10_000, settled: true });
  return {
    tally,
    audit: found,
    report: loadReport(tally, found, { buyers: crowd.buyers, startSeconds: options.startSeconds }),
  };
}

/** What a run must show to count as good: every unit in its place. */
export const holds = ({ conserved, oversold, stranded, missing, duplicateOrders }: LoadReport['audit']): boolean =>
  conserved && oversold === 0 && stranded === 0 && missing === 0 && duplicateOrders === 0;
