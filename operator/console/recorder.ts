// Keeps the curve of every sale while the console runs, watched or not: one sample a second, from what the source has
// in memory.

import type { Millis } from '../../dataplane/protocol/units.ts';
import { systemClock } from '../../dataplane/runtime/clock.ts';
import type { Logger } from '../../dataplane/runtime/log.ts';
import { startPeriodicLoop } from '../../dataplane/runtime/loop.ts';
import { History } from './history.ts';
import { type SaleKey, type SaleSource, type SaleSummary, type Sample, saleKey } from './source.ts';

export interface Recorder {
  /** The samples of one sale, oldest first. */
  history(key: SaleKey): readonly Sample[];
  stop(): void;
}

export function startRecorder(source: SaleSource, period: Millis, log: Logger): Recorder {
  let kept = new Map<SaleKey, History>();
  const record = async () => {
    const sales = await source.list();
    const at = Date.now();
    kept = new Map(
      sales.map((sale) => {
        const key = saleKey(sale.namespace, sale.name);
        const history = kept.get(key) ?? new History();
        const sample = sampleOf(sale, at);
        if (sample) history.add(sample);
        return [key, history];
      }),
    );
  };
  const loop = startPeriodicLoop(systemClock, 'console: list the sales', period, log, record);
  return { history: (key) => kept.get(key)?.samples() ?? [], stop: () => void loop.stop() };
}

/** Returns undefined while any figure of the sample is not known. */
const sampleOf = ({ sold, available, virtual }: SaleSummary, at: Millis): Sample | undefined =>
  sold === undefined || available === undefined || virtual === undefined ? undefined : { at, sold, available, virtual };
