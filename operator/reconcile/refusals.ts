// Why a StatefulSet's pods, or their volume claims, are not created: a quota, a limit or a policy refuses them. A
// Deployment says so in a condition, a StatefulSet in Events only. Those are listed while a set has lacked pods for a
// while; for a sale that has all its pods nothing is read.

import type { Millis } from '../../dataplane/protocol/units.ts';
import type { Logger } from '../../dataplane/runtime/log.ts';
import { type KubeClient, KubeError } from '../kube/client.ts';
import { type KubeObject, RESOURCES } from '../kube/objects.ts';
import type { Observed } from './observed.ts';

/** A set that was just made, grew or lost a pod lacks pods for a moment; nobody asks why before this has passed. */
const GRACE_PERIOD: Millis = 5000;
const FRESH_FOR: Millis = 10_000;
/** One list is for all sets of the sale: the API server walks all Events of the namespace for it, whatever is selected. */
const SELECTED = 'regarding.kind=StatefulSet,reason=FailedCreate';

interface Moment {
  now: Millis;
  wall: Millis;
}

interface Fill {
  /** When the set was last seen with all its pods, by the wall clock as Events are; absent: never. */
  lastFull?: Millis;
  /** Since when the set has lacked pods, by the clock that never goes back; absent: it has all. */
  lacksSince?: Millis;
}
/** What is known of each set, by its uid. */
type Fills = ReadonlyMap<string, Fill>;

/** What is known of each set's pods now. `before` is what the reconcile before has known. */
function fillsOf({ workloads, pods }: Observed, before: Fills, { now, wall }: Moment): Fills {
  return new Map(
    Object.entries(workloads).flatMap(([component, { set, wanted }]): [string, Fill][] => {
      if (set === undefined) return [];
      // Until one that leaves is gone, its successor cannot be created.
      const isFull = pods.filter((pod) => pod.component === component).length >= wanted;
      const known = before.get(set);
      return [[set, isFull ? { lastFull: wall } : { ...known, lacksSince: known?.lacksSince ?? now }]];
    }),
  );
}

/** Adds what the newest Event says of each set that lacks pods; one from before it last had all is about former ones. */
function withRefusals(observed: Observed, fills: Fills, events: readonly KubeObject[]): Observed {
  const workloads: Observed['workloads'] = {};
  for (const [component, workload] of Object.entries(observed.workloads)) {
    const { lacksSince, lastFull = 0 } = fills.get(workload.set ?? '') ?? {};
    const told = events.filter((event) => regards(event, workload.set) && lastSeen(event) > lastFull);
    const [newest] = told.sort((a, b) => lastSeen(b) - lastSeen(a));
    workloads[component as keyof typeof workloads] =
      lacksSince !== undefined && newest ? { ...workload, refused: wordsOf(newest) } : workload;
  }
  return { ...observed, workloads };
}

const regards = ({ regarding }: KubeObject, set: string | undefined): boolean =>
  (regarding as { uid?: string } | undefined)?.uid === set;

/** Controllers write Events of the older kind, which have their times elsewhere. */
function lastSeen({ series, deprecatedLastTimestamp, eventTime }: KubeObject): Millis {
  const times = [
    (series as { lastObservedTime?: string } | undefined)?.lastObservedTime,
    deprecatedLastTimestamp,
    eventTime,
  ];
  return Math.max(0, ...times.flatMap((time) => (typeof time === 'string' ? Date.parse(time) : [])));
}

/** Without the controller's own beginning: who refuses what is in the rest, as a Deployment's condition has it. */
const wordsOf = ({ note }: KubeObject): string =>
  String(note ?? '').replace(/^(\(combined from similar events\): )?create .*? failed error: /i, '');

interface Means {
  client: Pick<KubeClient, 'list'>;
  log: Pick<Logger, 'warn'>;
  now(): Millis;
  wall(): Millis;
}

export class RefusalReader {
  #fills: Fills = new Map();
  #events: KubeObject[] = [];
  #readAt: Millis = Number.NEGATIVE_INFINITY;
  #isSilent = false;

  /** Adds `refused` to the sets that lack pods, once one has for a while. An API server that gives no answer does not end the reconcile. */
  async read(observed: Observed, namespace: string, { client, log, now, wall }: Means): Promise<Observed> {
    const at = { now: now(), wall: wall() };
    this.#fills = fillsOf(observed, this.#fills, at);
    const lacks = [...this.#fills.values()].flatMap(({ lacksSince }) => lacksSince ?? []);
    if (!lacks.some((since) => at.now - since >= GRACE_PERIOD)) return observed;
    if (at.now - this.#readAt >= FRESH_FOR) {
      this.#readAt = at.now;
      try {
        this.#events = (await client.list(RESOURCES.Event, { namespace, fieldSelector: SELECTED })).items;
        this.#isSilent = false;
      } catch (error) {
        if (!(error instanceof KubeError)) throw error;
        if (!this.#isSilent) log.warn({ err: error }, 'why pods are not created cannot be read');
        this.#isSilent = true;
      }
    }
    return withRefusals(observed, this.#fills, this.#events);
  }
}
