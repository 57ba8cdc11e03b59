// A copy of what the API server holds of one kind, kept up to date, and a word about each change. It never dies:
//
//   list ──▶ watch from there ──ended──▶ watch on from the last version seen
//     ▲            │ failed, silent ──▶ wait, longer each time ──▶ the same
//     │            │ 410: the version is forgotten
//     └────────────┴─ or the last list is long ago
//
// Bookmarks carry the version on where nothing that is watched changes; they are also the pulse: without one for long,
// the connection may be dead, whatever the kernel says. (Where nothing at all happens to a kind there are none either:
// then a watch is begun anew, which harms nobody.) A list now and then finds what no watch told.

import type { Millis } from '../../dataplane/protocol/units.ts';
import { systemClock } from '../../dataplane/runtime/clock.ts';
import type { Logger } from '../../dataplane/runtime/log.ts';
import { spread } from './backoff.ts';
import type { KubeClient } from './client.ts';
import type { ReflectorMetrics } from './metrics.ts';
import type { KubeObject, Resource } from './objects.ts';
import { afterWatch, type Next, type Outcome } from './reflection.ts';
import { type Change, Store } from './store.ts';

export interface Reflector {
  /** Resolves when the first list is in. It stays pending if the reflector is stopped before. */
  readonly synced: Promise<void>;
  /** Returns the objects as last known, without metadata.managedFields. They are shared, so nobody may change them. */
  get(namespace: string, name: string): KubeObject | undefined;
  list(): KubeObject[];
  /** Ends the watch. Afterwards `changed` is not called any more. */
  stop(): Promise<void>;
}

export interface ReflectorTiming {
  /** Half of the longest a watch lasts; each lasts another time. */
  watch: Millis;
  /** The longest silence of a watch before its connection counts as dead. Bookmarks come about every minute. */
  idle: Millis;
  /** Half of the longest from one list to the next. */
  relist: Millis;
  /** The wait after the first failure, and after many. */
  first: Millis;
  longest: Millis;
}

export interface ReflectorOptions {
  client: Pick<KubeClient, 'list' | 'watch'>;
  resource: Resource;
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  /** Hears of each change once, in order; of the first list too. A deleted object comes as it was last known. */
  changed(object: KubeObject, what: Change['what']): void;
  log: Logger;
  metrics?: ReflectorMetrics | undefined;
  timing?: Partial<ReflectorTiming> | undefined;
}

const TIMING: ReflectorTiming = { watch: 300_000, idle: 150_000, relist: 1_800_000, first: 500, longest: 30_000 };

export function startReflector(options: ReflectorOptions): Reflector {
  const { client, resource, namespace, labelSelector, metrics } = options;
  const { kind } = resource;
  const timing = { ...TIMING, ...options.timing };
  const log = options.log.child({ reflector: kind, ...(namespace === undefined ? {} : { namespace }) });
  const known = new Store();
  const stopping = new AbortController();
  const { signal } = stopping;
  const synced = Promise.withResolvers<void>();
  /** The resourceVersion at which the next watch goes on; undefined: a list comes first. */
  let version: string | undefined;
  let relistAt: Millis = 0;
  let heardAt = performance.now();
  /** What the log was told last. */
  let failing = false;

  const tell = (changes: Change[]) => {
    for (const { object, what } of changes) {
      if (signal.aborted) return;
      try {
        options.changed(object, what);
      } catch (error) {
        log.error({ err: error }, 'a listener failed; the others go on');
      }
    }
  };

  const working = () => {
    if (failing) log.info('works again');
    failing = false;
  };

  const list = async (): Promise<string> => {
    const { items, resourceVersion } = await client.list(resource, { namespace, labelSelector });
    metrics?.relisted(kind);
    heardAt = performance.now();
    relistAt = heardAt + spread(timing.relist, Math.random());
    working();
    tell(known.replace(items));
    synced.resolve();
    return resourceVersion;
  };

  /** A list, if one is due, and one watch to its end. */
  const attempt = async (): Promise<Outcome> => {
    let begun: Millis | undefined;
    let heard = 0;
    const outcome = (): Outcome => ({ lived: begun === undefined ? 0 : performance.now() - begun, heard });
    try {
      if (version === undefined || performance.now() >= relistAt) version = await list();
      if (signal.aborted) return outcome();
      begun = performance.now();
      const length = Math.min(spread(timing.watch, Math.random()), Math.max(1000, relistAt - begun));
      const watch = { namespace, labelSelector, resourceVersion: version, signal, length, idle: timing.idle };
      for await (const event of client.watch(resource, watch)) {
        heard++;
        working();
        heardAt = performance.now();
        version = event.resourceVersion;
        if (event.type !== 'BOOKMARK') tell(known.take(event));
      }
      return outcome();
    } catch (error) {
      return { ...outcome(), error };
    }
  };

  const say = ({ why, failures, wait }: Next, error: unknown) => {
    metrics?.rewatched(kind, why);
    if (why === 'failed' && !failing) {
      failing = true;
      log.warn({ err: error }, 'a list or watch failed; trying until it works');
    } else if (why !== 'ended') log.debug({ err: error, why, failures, wait }, 'a watch ended early');
  };

  const run = async () => {
    let failures = 0;
    while (!signal.aborted) {
      const outcome = await attempt();
      if (signal.aborted) return;
      const next = afterWatch(outcome, failures, timing, Math.random());
      say(next, outcome.error);
      failures = next.failures;
      if (next.relist) version = undefined;
      if (next.wait > 0) await systemClock.sleep(next.wait, signal);
    }
  };

  const forget = metrics?.reflecting(kind, () => ({ silent: performance.now() - heardAt, objects: known.size }));
  const done = run();

  return {
    synced: synced.promise,
    get: (of, name) => known.get(of, name),
    list: () => known.list(),
    async stop() {
      stopping.abort();
      await done;
      forget?.();
    },
  };
}
