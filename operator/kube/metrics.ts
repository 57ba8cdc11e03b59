// What this layer tells of itself, as Prometheus metrics.

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Millis } from '../../dataplane/protocol/units.ts';

export interface KubeMetrics {
  /** Counts a request and its HTTP status; 0: there was no answer. A watch counts when it begins. */
  requested(method: string, status: number, took: Millis): void;
  /** A request waited for its turn in the client's own rate. */
  throttled(time: Millis): void;
  relisted(kind: string): void;
  rewatched(kind: string, why: string): void;
  /** Shows a value: `read` is asked whenever somebody looks. The returned function ends that. */
  reflecting(kind: string, read: () => { silent: Millis; objects: number }): () => void;
}

/** What a reflector tells. */
export type ReflectorMetrics = Pick<KubeMetrics, 'relisted' | 'rewatched' | 'reflecting'>;

export function kubeMetrics(registers: Registry[]): KubeMetrics {
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
    new Counter({ name: `flashsale_kube_${name}`, help, labelNames, registers });
  const readers = new Set<{ kind: string; read: () => { silent: Millis; objects: number } }>();
  /** Counts the reflectors of one kind in several namespaces together. */
  const perKind = (
    of: (now: { silent: Millis; objects: number }) => number,
    join: (a: number, b: number) => number,
  ) => {
    const kinds = new Map<string, number>();
    for (const { kind, read } of readers) {
      const [before, value] = [kinds.get(kind), of(read())];
      kinds.set(kind, before === undefined ? value : join(before, value));
    }
    return kinds;
  };
  const gauge = (name: string, help: string, values: () => Map<string, number>) =>
    new Gauge({
      name: `flashsale_kube_${name}`,
      help,
      labelNames: ['kind'],
      registers,
      collect() {
        this.reset();
        for (const [kind, value] of values()) this.set({ kind }, value);
      },
    });

  const requests = counter('requests_total', 'Requests to the API server, by answer (0: none).', ['method', 'code']);
  const seconds = new Histogram({
    name: 'flashsale_kube_request_seconds',
    help: 'Time until the API server had answered.',
    labelNames: ['method'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
    registers,
  });
  const throttled = counter('throttled_seconds_total', 'Time that requests waited for their turn in the own rate.');
  const relists = counter('relists_total', 'Complete lists taken.', ['kind']);
  const rewatches = counter('watch_restarts_total', 'Watches that ended and were begun again.', ['kind', 'why']);
  gauge('last_event_age_seconds', 'Time since a watch was last heard of, bookmarks included.', () =>
    perKind(({ silent }) => silent / 1000, Math.max),
  );
  gauge('objects', 'Objects held in memory.', () =>
    perKind(
      ({ objects }) => objects,
      (a, b) => a + b,
    ),
  );

  return {
    requested(method, status, took) {
      requests.inc({ method, code: status });
      seconds.observe({ method }, took / 1000);
    },
    throttled: (time) => throttled.inc(time / 1000),
    relisted: (kind) => relists.inc({ kind }),
    rewatched: (kind, why) => rewatches.inc({ kind, why }),
    reflecting(kind, read) {
      const reader = { kind, read };
      readers.add(reader);
      return () => readers.delete(reader);
    },
  };
}
