// Events as the API server takes them (events.k8s.io/v1), and how many equal ones become one with a count. Pure.

import { microTime } from './micro-time.ts';
import { type KubeObject, titleOf } from './objects.ts';

export interface Report {
  about: KubeObject;
  type: 'Normal' | 'Warning';
  /** Why, in one word of a documented list: `DriftRepaired`. */
  reason: string;
  /** What was done or tried, in one word: `Apply`. */
  action: string;
  /** The sentence for people. Never holds a secret or a buyer's id. */
  note: string;
}

export interface Reporter {
  /** The program that reports, such as `flashsale.dev/operator`. */
  component: string;
  /** The process of that program. */
  instance: string;
}

/** Reports with the same key are the same, said again. */
export const seriesKey = ({ about, type, reason, action, note }: Report): string =>
  JSON.stringify([titleOf(about), about.metadata.uid, type, reason, action, note]);

/** What the API server takes at most, in bytes. */
const NOTE = 1024;
const WORD = 128;
const NAME = 253;

/** Makes the Event. `unique` tells Events about one object apart; it has letters and digits only. */
export function eventObject(report: Report, reporter: Reporter, unique: string, date: Date): KubeObject {
  const { metadata, apiVersion, kind } = report.about;
  const { name, namespace, uid, resourceVersion } = metadata;
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: {
      name: `${name.slice(0, NAME - unique.length - 1)}.${unique}`,
      // What belongs to no namespace has its events in this one.
      namespace: namespace ?? 'default',
    },
    regarding: { apiVersion, kind, name, namespace, uid, resourceVersion },
    type: report.type,
    reason: atMost(WORD, report.reason),
    action: atMost(WORD, report.action),
    note: atMost(NOTE, report.note),
    eventTime: microTime(date),
    reportingController: reporter.component,
    reportingInstance: atMost(WORD, reporter.instance),
  };
}

/** The part of an event that changes when it is said again; `count` is from 2. */
export const seriesPatch = (count: number, date: Date): { series: { count: number; lastObservedTime: string } } => ({
  series: { count, lastObservedTime: microTime(date) },
});

/** Cut after a whole character. */
function atMost(bytes: number, text: string): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  const room = bytes - Buffer.byteLength('…');
  const cut = Buffer.from(text)
    .subarray(0, room)
    .toString('utf8')
    .replace(/\uFFFD+$/, '');
  return `${cut}…`;
}
