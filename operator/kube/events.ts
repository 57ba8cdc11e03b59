// Tells people what the operator does, as Events about the objects it does it to (`kubectl describe`). Equal ones are
// one event with a count. Never throws and never holds anybody up: what cannot be written is said in the log and
// forgotten, for nothing depends on it.

import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Millis } from '../../dataplane/protocol/units.ts';
import type { Logger } from '../../dataplane/runtime/log.ts';
import type { KubeClient } from './client.ts';
import { KubeError } from './errors.ts';
import { eventObject, type Report, type Reporter, seriesKey, seriesPatch } from './event-series.ts';
import { type KubeObject, RESOURCES, titleOf } from './objects.ts';

export interface Recorder {
  /** Writes an Event about an object. `reason` and `action` are one word each, `note` is a sentence. */
  event(about: KubeObject, type: Report['type'], reason: string, action: string, note: string): void;
  /** Writes what is still to be written. */
  flush(): Promise<void>;
}

export interface RecorderOptions extends Reporter {
  log: Logger;
  timing?: { /** The least time from one written count of a series to the next. */ summary?: Millis } | undefined;
}

interface Series {
  report: Report;
  name: string;
  namespace: string;
  count: number;
  /** How many of them the API server knows of. */
  written: number;
  lastSeen: Date;
}

const SUMMARY: Millis = 10_000;
/** A series that was quiet for so long is over; the same thing is then said anew. */
const OVER: Millis = 360_000;
const MOST = 1000;

export function recorder(client: Pick<KubeClient, 'create' | 'patch'>, options: RecorderOptions): Recorder {
  const { log, timing, ...reporter } = options;
  const summary = timing?.summary ?? SUMMARY;
  const known = new LRUCache<string, Series>({ max: MOST, ttl: OVER, updateAgeOnGet: true });
  /** The Events are written in order, one after the other. */
  let writing: Promise<void> = Promise.resolve();
  const later = new Map<Series, NodeJS.Timeout>();

  const write = (series: Series) => {
    clearTimeout(later.get(series));
    later.delete(series);
    writing = writing.then(() => send(series));
  };

  const send = async (series: Series) => {
    const { report, count } = series;
    if (count === series.written) return;
    try {
      if (series.written === 0) await begin(series);
      if (count === 1 || (await addTo(series, count))) return;
      series.count -= count - 1;
      await begin(series);
    } catch (error) {
      // In the next count, if it is said again.
      log.warn({ err: error, about: titleOf(report.about), reason: report.reason }, 'an event was not written');
    }
  };

  const begin = async (series: Series) => {
    const event = eventObject(series.report, reporter, randomBytes(8).toString('hex'), series.lastSeen);
    await client.create(event);
    series.name = event.metadata.name;
    series.namespace = event.metadata.namespace ?? '';
    series.written = 1;
  };

  /** false: the event is not there any more; events are kept for an hour. */
  const addTo = async (series: Series, count: number): Promise<boolean> => {
    try {
      await client.patch(RESOURCES.Event, series.namespace, series.name, seriesPatch(count, series.lastSeen));
    } catch (error) {
      if (error instanceof KubeError && error.status === 404) return false;
      throw error;
    }
    series.written = count;
    return true;
  };

  return {
    event(about, type, reason, action, note) {
      const report = { about, type, reason, action, note };
      const key = seriesKey(report);
      const series = known.get(key);
      if (series === undefined) {
        const begun = { report, name: '', namespace: '', count: 1, written: 0, lastSeen: new Date() };
        known.set(key, begun);
        write(begun);
        return;
      }
      series.count++;
      series.lastSeen = new Date();
      if (!later.has(series)) later.set(series, setTimeout(() => write(series), summary).unref());
    },
    async flush() {
      for (const series of [...later.keys()]) write(series);
      await writing;
    },
  };
}
