// The operator's one way to a Kubernetes API server: typed calls over the REST interface. Credentials come from
// client-node's KubeConfig; lists, watches and writes are ours, for its informer gives up on errors, asks for no
// bookmarks and aborts healthy watches (kubernetes-client/javascript #3020, #2665, #2860). Decides nothing.
//
// Every call may reject with a KubeError. Its status 0 says that there was no answer: a write may have been done or not.

import type { KubeConfig } from '@kubernetes/client-node';
import type { Millis } from '../../dataplane/protocol/units.ts';
import { connection } from './connection.ts';
import { isGone, KubeError } from './errors.ts';
import type { KubeMetrics } from './metrics.ts';
import { FIELD_MANAGER, type KubeObject, type Resource, resourceOf } from './objects.ts';
import { collectionPath, objectPath, type Query, withQuery } from './paths.ts';
import { type Call, Transport } from './transport.ts';
import { eventOf, type WatchEvent } from './watch-lines.ts';

export { KubeError };

/** Which objects of a kind are meant; without a namespace, those of all namespaces. */
export interface Selection {
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
}

export interface WatchOptions extends Selection {
  /** The watch shows changes that are newer than this one. */
  resourceVersion: string;
  /** Ends the watch without an error. */
  signal: AbortSignal;
  /** The server ends the watch after about so long. */
  length?: Millis | undefined;
  /** The longest silence, bookmarks included, before the connection counts as dead. */
  idle?: Millis | undefined;
}

export interface KubeClient {
  /** Returns undefined when there is no such object. `namespace` is ignored for kinds that belong to none. */
  get(resource: Resource, namespace: string, name: string): Promise<KubeObject | undefined>;
  /** Everything as it is now, however many pages that takes; `resourceVersion` is where a watch goes on from. */
  list(resource: Resource, selection?: Selection): Promise<{ items: KubeObject[]; resourceVersion: string }>;
  /** Ends when the server or `signal` ends it; a KubeError with status 410: list again. */
  watch(resource: Resource, options: WatchOptions): AsyncIterable<WatchEvent>;
  /**
   * Server-side apply: sets the fields given, drops those that an earlier apply gave and this one does not, leaves all
   * others. Without `force`, a field that somebody else has set otherwise makes it fail with `conflicts`.
   */
  apply(object: KubeObject, options?: WriteOptions & { force?: boolean }): Promise<KubeObject>;
  /** Applies the status, by force: nobody else may set it. */
  applyStatus(object: KubeObject): Promise<KubeObject>;
  /** A JSON merge patch; one that holds metadata.resourceVersion is refused when the object has changed since. */
  patch(
    resource: Resource,
    namespace: string,
    name: string,
    mergePatch: unknown,
    options?: WriteOptions,
  ): Promise<KubeObject>;
  create(object: KubeObject, options?: WriteOptions): Promise<KubeObject>;
  /** Replaces an object. One that holds metadata.resourceVersion is refused when the object has changed since. */
  replace(object: KubeObject): Promise<KubeObject>;
  /** Deletes an object; that there is none is no error. With `uid`, a namesake that came later is left alone (status 409). */
  delete(
    resource: Resource,
    namespace: string,
    name: string,
    options?: { uid?: string; propagation?: 'Foreground' | 'Background' | 'Orphan' },
  ): Promise<void>;
  /** Closes the connections and ends the requests that are under way. */
  close(): Promise<void>;
}

export interface WriteOptions {
  /** Nothing is changed. A field that is unknown or given twice is then refused, not left out. */
  dryRun?: boolean;
  /** The field manager of this write; absent: the one of the connection. */
  fieldManager?: string;
}

export interface ConnectOptions {
  /** The longest time of a request; a watch has its own. */
  timeout?: Millis;
  /** Requests a second in the long run, and as many at once after a pause. */
  qps?: number;
  burst?: number;
  userAgent?: string;
  /** The field manager of all writes; absent: the operator. */
  fieldManager?: string;
  metrics?: KubeMetrics;
}

const TIMEOUT: Millis = 15_000;
/** An API server defends itself by 429; this is only for one that does not. */
const QPS = 400;
const BURST = 400;
const WATCH_LENGTH: Millis = 300_000;
/** Bookmarks come about every minute. */
const IDLE: Millis = 150_000;
/** Objects a page. */
const PAGE = 500;

export function connectKube(config: KubeConfig, options: ConnectOptions = {}): KubeClient {
  const transport = new Transport(connection(config), {
    timeout: options.timeout ?? TIMEOUT,
    rate: { perSecond: options.qps ?? QPS, burst: options.burst ?? BURST },
    userAgent: options.userAgent ?? FIELD_MANAGER,
    metrics: options.metrics,
  });
  const written = ({
    dryRun = false,
    fieldManager = options.fieldManager ?? FIELD_MANAGER,
  }: WriteOptions = {}): Query => ({
    fieldManager,
    ...(dryRun ? { dryRun: 'All', fieldValidation: 'Strict' } : {}),
  });

  const one = async (call: Call): Promise<KubeObject> => (await transport.json(call)) as KubeObject;

  const apply = (object: KubeObject, query: Query, part?: 'status') => {
    const { namespace, name } = object.metadata;
    const path = objectPath(resourceOf(object), namespace, name, part);
    return one({
      method: 'PATCH',
      path: withQuery(path, query),
      body: object,
      contentType: 'application/apply-patch+yaml',
      repeatable: true,
    });
  };

  const page = async (resource: Resource, { namespace, ...selectors }: Selection, next: Query) => {
    const path = withQuery(collectionPath(resource, namespace), { ...selectors, ...next });
    return (await transport.json({ method: 'GET', path, repeatable: true })) as Page;
  };

  return {
    get(resource, namespace, name) {
      const path = objectPath(resource, namespace, name);
      return one({ method: 'GET', path, repeatable: true }).catch(undefinedIfNone);
    },

    async list(resource, selection = {}) {
      const items: KubeObject[] = [];
      const take = (answer: Page) => {
        // Those of kinds that come with Kubernetes leave out what the list as a whole is of.
        for (const item of answer.items ?? [])
          items.push({ ...item, apiVersion: resource.apiVersion, kind: resource.kind });
        return answer.metadata;
      };
      let at = take(await page(resource, selection, { limit: PAGE }));
      while (at.continue) {
        try {
          at = take(await page(resource, selection, { limit: PAGE, continue: at.continue }));
        } catch (error) {
          if (!isGone(error)) throw error;
          // The state that the pages were of is forgotten: all at once, then.
          items.length = 0;
          at = take(await page(resource, selection, {}));
        }
      }
      return { items, resourceVersion: at.resourceVersion };
    },

    async *watch(resource, { namespace, resourceVersion, signal, length = WATCH_LENGTH, idle = IDLE, ...selectors }) {
      const path = collectionPath(resource, namespace);
      const query = {
        ...selectors,
        watch: true,
        allowWatchBookmarks: true,
        resourceVersion,
        timeoutSeconds: Math.max(1, Math.round(length / 1000)),
      };
      const call: Call = { method: 'GET', path: withQuery(path, query), repeatable: true };
      for await (const line of transport.lines(call, { signal, idle })) yield eventOf(`watch of ${path}`, line);
    },

    apply: (object, { force = false, ...options } = {}) => apply(object, { force, ...written(options) }),

    applyStatus: (object) => apply(object, { force: true, ...written() }, 'status'),

    patch: (resource, namespace, name, mergePatch, options) =>
      one({
        method: 'PATCH',
        path: withQuery(objectPath(resource, namespace, name), written(options)),
        body: mergePatch,
        contentType: 'application/merge-patch+json',
        repeatable: true,
      }),

    create: (object, options) =>
      one({
        method: 'POST',
        path: withQuery(collectionPath(resourceOf(object), object.metadata.namespace), written(options)),
        body: object,
        repeatable: false,
      }),

    replace: (object) =>
      one({
        method: 'PUT',
        path: withQuery(objectPath(resourceOf(object), object.metadata.namespace, object.metadata.name), written()),
        body: object,
        // A second one would be refused as a change of what the first one made.
        repeatable: object.metadata.resourceVersion === undefined,
      }),

    async delete(resource, namespace, name, { uid, propagation } = {}) {
      await one({
        method: 'DELETE',
        path: objectPath(resource, namespace, name),
        body: {
          apiVersion: 'v1',
          kind: 'DeleteOptions',
          ...(uid === undefined ? {} : { preconditions: { uid } }),
          ...(propagation === undefined ? {} : { propagationPolicy: propagation }),
        },
        repeatable: true,
      }).catch(undefinedIfNone);
    },

    close: () => transport.close(),
  };
}

interface Page {
  items?: KubeObject[];
  metadata: { resourceVersion: string; continue?: string };
}

function undefinedIfNone(error: unknown): undefined {
  if (error instanceof KubeError && error.status === 404) return undefined;
  throw error;
}
