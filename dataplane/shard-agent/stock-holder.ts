// Runs beside every stock holder, that is every database that holds stock, the pool's too: makes its reports (R9–R12),
// executes commands (R17, R20, R22), receives transfers and sends them again (R18, R19). It is not on the buyer's path:
// without it the shard goes on selling what it holds, and the agent catches up from the ledger later.

import { type Command, type Delta, newer, type Transfer } from '../protocol/messages.ts';
import type { Millis, StockHolderId } from '../protocol/units.ts';
import type { Bus } from '../runtime/bus.ts';
import type { Clock } from '../runtime/clock.ts';
import { failpoint } from '../runtime/failpoint.ts';
import type { Logger } from '../runtime/log.ts';
import { type Loop, startLoop } from '../runtime/loop.ts';
import type { AgentRegistry } from '../stores/registry/registry.ts';
import type { AgentShard, ShardState } from '../stores/shard/shard.ts';
import type { StockHolderMetrics } from './metrics.ts';
import { changed, deltaOf, lookAgainIn, type Reported, reportDue } from './report.ts';
import { startResending } from './resending.ts';

/** How often an instance that does not act looks whether it may now. */
const PASSIVE: Millis = 20;

export interface StockHolderOptions {
  id: StockHolderId;
  shard: AgentShard;
  registry: Pick<AgentRegistry, 'read'>;
  bus: Bus;
  summaryPeriod: () => Millis;
  /** Returns false when another instance does all this for the same database. */
  active: () => boolean;
  metrics: StockHolderMetrics;
  clock: Clock;
  log: Logger;
}

export interface StockHolder {
  /** Returns the state as it was last read, or undefined before the first reading. */
  state(): ShardState | undefined;
  /** Returns the newest report of every stock holder of this sale. */
  reports(): readonly Delta[];
  stop(): Promise<void>;
}

export async function startStockHolder(options: StockHolderOptions): Promise<StockHolder> {
  const { id, shard, registry, bus, metrics, clock, log } = options;
  const isIssued = issuedTerms(registry);
  let state: ShardState | undefined;
  const reports = new Map<StockHolderId, Delta>();
  const ours = (incarnation: string) => options.active() && incarnation === state?.incarnation;

  const reporter = startReporter(options, (read) => {
    state = read;
  });

  /** Sends transfers. It does not matter whether the queue takes them: what is not reported is sent again. */
  const send = (transfers: readonly Transfer[], count: (transfers: number) => void) => {
    if (transfers.length === 0) return;
    count(transfers.length);
    void bus.publish(
      'transfers',
      transfers.map((value) => ({ key: value.to, value })),
    );
  };

  async function execute(command: Command) {
    // The database refuses an old command as well; this saves asking it.
    if (command.source !== id || !state || !ours(command.incarnation) || !newer(command, state.command)) return;
    if (!(await isIssued(command))) {
      metrics.commandRefused();
      log.warn({ term: command.term }, 'refused a command of a term that the registry never gave');
      return;
    }
    const began = clock.now();
    const transfers = await shard.execute(command);
    failpoint('shard-agent', id, 'transfer-executed');
    send(transfers, metrics.transfersSent);
    reporter.wake();
    metrics.commandTook(clock.now() - began);
  }

  async function receive(transfer: Transfer) {
    if (transfer.to !== id || !state || !ours(transfer.incarnation)) return;
    if (transfer.version <= (state.receivedVersions[transfer.from] ?? 0)) return;
    const began = clock.now();
    const { applied, forwarded } = await shard.receive(transfer);
    failpoint('shard-agent', id, 'transfer-received');
    if (!applied) return;
    send(forwarded, metrics.transfersSent);
    reporter.wake();
    metrics.transferTook(clock.now() - began);
  }

  await bus.subscribe(['deltas'], { beginning: true }, (_, delta) => {
    const last = reports.get(delta.peer);
    if (last && last.incarnation === delta.incarnation && last.version > delta.version) return;
    reports.set(delta.peer, delta);
  });
  // Each topic has a subscription of its own, so that neither waits behind the other.
  await bus.subscribe(['commands'], { beginning: false }, (_, command) => execute(command));
  await bus.subscribe(['transfers'], { beginning: false }, (_, transfer) => receive(transfer));
  const ourReports = () => [...reports.values()].filter(({ incarnation }) => ours(incarnation));
  const resender = startResending({
    id,
    shard,
    clock,
    log,
    state: () => state,
    reports: ourReports,
    send: (transfers) => send(transfers, metrics.transfersResent),
    inFlight: metrics.inFlight,
    failed: metrics.loopFailed,
  });

  return {
    state: () => state,
    reports: ourReports,
    async stop() {
      await Promise.all([reporter.stop(), resender.stop()]);
    },
  };
}

/**
 * Makes the check that a command's term was given out by the registry. Otherwise one command with an enormous term would
 * make the holder refuse every balancer for ever. The registry is asked once a term; while it does not answer, the check
 * rejects and the command has to be repeated.
 */
function issuedTerms(registry: Pick<AgentRegistry, 'read'>): (command: Command) => Promise<boolean> {
  let known = { incarnation: '', term: 0 };
  const covers = ({ incarnation, term }: Command) => incarnation === known.incarnation && term <= known.term;
  return async (command) => {
    if (covers(command)) return true;
    const view = await registry.read();
    if (view) known = { incarnation: view.incarnation, term: view.term };
    return covers(command);
  };
}

function startReporter(options: StockHolderOptions, read: (state: ShardState) => void): Loop {
  const { id, shard, bus, summaryPeriod, active, metrics, clock, log } = options;
  let last: Reported = { state: undefined, at: Number.NEGATIVE_INFINITY };
  let seen: { state: ShardState | undefined; at: Millis } = { state: undefined, at: 0 };
  const report = async () => {
    if (!active()) return;
    const state = await shard.state();
    read(state);
    metrics.state(state, last.state?.version);
    const now = clock.now();
    if (!seen.state || changed(seen.state, state)) seen = { state, at: now };
    const delta = deltaOf(id, last.state, state);
    if (delta && reportDue(last, state, now, summaryPeriod())) {
      failpoint('shard-agent', id, 'relay-read');
      const sent = await bus.publish('deltas', [{ key: id, value: delta }]);
      if (sent) metrics.reports();
      last = { state: sent ? state : last.state, at: now };
    }
    return lookAgainIn(now - seen.at);
  };
  return startLoop(clock, 'reports', PASSIVE, log, report, metrics.loopFailed);
}
