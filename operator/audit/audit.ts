// The audit as a whole: read every store, check, and read again while a sale that goes on blurs the picture. Real
// stock is exact at any moment (cut.ts). Between the two ledgers an order may be younger than the reading of its node,
// so a finding counts only if it is still there when the timeout ends.

import { setTimeout as sleep } from 'node:timers/promises';
import { databaseSecret, redisSecret, type SaleConfig } from '../../dataplane/protocol/config.ts';
import type { Millis } from '../../dataplane/protocol/units.ts';
import type { Secret } from '../../dataplane/runtime/config.ts';
import { type AuditReport, check } from './check.ts';
import { readNodes } from './read-nodes.ts';
import { readShards } from './read-shards.ts';

export interface AuditOptions {
  /** How long findings may take to vanish. */
  timeout: Millis;
  /** Wait, within the timeout, also for stock in flight to arrive and live tokens to end: a sale that is over. */
  settled?: boolean;
}

/** What an audit must know of a sale. */
export interface Audited {
  config: SaleConfig;
  secret: Secret;
}

/**
 * `sale`: read again before each look, since shards and nodes may come while an audit waits. Rejects at once when
 * there is none, and when some database could not be read until the timeout ended: one that restarts is waited for. Where
 * all were read once, and then one of them went away, the answer is what was found.
 */
export async function audit(sale: () => Promise<Audited> | Audited, options: AuditOptions): Promise<AuditReport> {
  const deadline = performance.now() + options.timeout;
  // One that is not there is not waited for.
  let now: Audited | undefined = await sale();
  let last: AuditReport | undefined;
  for (;;) {
    try {
      const { report, unread } = await readAll(now ?? (await sale()));
      last = report;
      const moving = options.settled === true && (report.inFlight > 0 || report.liveTokens > 0 || unread > 0);
      if ((report.conserved && !moving) || performance.now() > deadline) return report;
    } catch (error) {
      if (performance.now() > deadline) {
        if (last) return last;
        throw error;
      }
    }
    now = undefined;
    await sleep(Math.min(500, Math.max(1, deadline - performance.now())));
  }
}

async function readAll({ config, secret }: Audited): Promise<{ report: AuditReport; unread: number }> {
  // Nodes first: a token that is sold meanwhile is then live there and has an order here, which is counted once.
  const { nodes, unread } = await readNodes(config, secret(redisSecret('audit')));
  const { shards, registry } = await readShards(config, secret(databaseSecret('audit')));
  const report = check({ registry, shards, nodes, unread, perBuyer: config.qualification.perBuyer });
  return { report, unread: unread.length };
}
