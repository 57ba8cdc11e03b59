// The informer cache: what belongs to sales, as the watches have shown it, found by sale. It holds data only; `touched`
// says which sale a change is about. Labels choose what is watched and prove nothing: only what is the sale's own is shown.

import type { Logger } from '../../dataplane/runtime/log.ts';
import type { FlashSale } from '../api/flashsale.gen.ts';
import type { KubeClient } from '../kube/client.ts';
import type { ReflectorMetrics } from '../kube/metrics.ts';
import { type Kind, type KubeObject, keyOf, RESOURCES } from '../kube/objects.ts';
import { type Reflector, type ReflectorTiming, startReflector } from '../kube/reflector.ts';
import { isOwnedBy, isPodOf } from '../manifests/ownership.ts';

/** `namespace/name`. */
export type SaleKey = string;

const SALE_LABEL = 'flashsale.dev/sale';
const OURS = 'app.kubernetes.io/managed-by=flashsale-operator';

/** The kinds of objects that the operator makes and repairs. */
const OWNED: readonly Kind[] = [
  'Secret',
  'ConfigMap',
  'Service',
  'StatefulSet',
  'Deployment',
  'PodDisruptionBudget',
  'HorizontalPodAutoscaler',
  'NetworkPolicy',
];

export interface InformerCacheOptions {
  client: KubeClient;
  /** The namespaces that are watched; empty: all. */
  namespaces: readonly string[];
  /** Is called for every change of a sale, of an object that the operator made for it, or of a pod. */
  touched(sale: SaleKey): void;
  log: Logger;
  metrics?: ReflectorMetrics;
  timing?: Partial<ReflectorTiming>;
}

export class InformerCache {
  readonly #reflectors: Reflector[] = [];
  /** Namespaces of which everything was listed; undefined stands for all. */
  readonly #synced = new Set<string | undefined>();
  readonly #sales = new Map<SaleKey, FlashSale>();
  readonly #parts = new Map<SaleKey, Map<string, KubeObject>>();

  constructor(options: InformerCacheOptions) {
    const { namespaces, touched } = options;
    for (const namespace of namespaces.length > 0 ? namespaces : [undefined]) {
      const reflectors: Reflector[] = [];
      const watch = (
        kind: Kind,
        labelSelector: string | undefined,
        changed: Parameters<typeof startReflector>[0]['changed'],
      ) =>
        reflectors.push(
          startReflector({
            ...options,
            resource: RESOURCES[kind],
            ...(namespace === undefined ? {} : { namespace }),
            ...(labelSelector === undefined ? {} : { labelSelector }),
            changed,
          }),
        );
      watch('FlashSale', undefined, (object, what) => {
        const key = keyOf(object.metadata.namespace, object.metadata.name);
        if (what === 'deleted') this.#sales.delete(key);
        else this.#sales.set(key, object as unknown as FlashSale);
        touched(key);
      });
      for (const kind of [...OWNED, 'Pod'] as const)
        watch(kind, OURS, (object, what) => {
          const key = saleOf(object);
          if (key === undefined) return;
          this.#keep(key, object, what === 'deleted');
          touched(key);
        });
      this.#reflectors.push(...reflectors);
      void Promise.all(reflectors.map(({ synced }) => synced)).then(() => {
        this.#synced.add(namespace);
        for (const key of this.#sales.keys()) if (this.isSynced(key)) touched(key);
      });
    }
  }

  /**
   * Whether everything in the sale's namespace was listed; before that, an object that is there would look missing. It is
   * asked by namespace, so that one that is watched and gone keeps nobody else's sales waiting. When it becomes true, the
   * namespace's sales are touched.
   */
  isSynced(key: SaleKey): boolean {
    return this.#synced.has(undefined) || this.#synced.has(key.split('/')[0]);
  }

  sale(key: SaleKey): FlashSale | undefined {
    return this.#sales.get(key);
  }

  sales(): FlashSale[] {
    return [...this.#sales.values()];
  }

  /** The objects that the operator made for this sale, without its pods. */
  owned(key: SaleKey): KubeObject[] {
    return this.#own(key).filter(({ kind }) => kind !== 'Pod');
  }

  pods(key: SaleKey): KubeObject[] {
    return this.#own(key).filter(({ kind }) => kind === 'Pod');
  }

  /** Returns undefined also for an object of that name which is somebody else's. */
  find(key: SaleKey, { kind, metadata }: { kind: string; metadata: { name: string } }): KubeObject | undefined {
    const found = this.#parts.get(key)?.get(`${kind}/${metadata.name}`);
    return found && this.#isOwn(key, found) ? found : undefined;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#reflectors.map((reflector) => reflector.stop()));
  }

  #own(key: SaleKey): KubeObject[] {
    return [...(this.#parts.get(key)?.values() ?? [])].filter((object) => this.#isOwn(key, object));
  }

  #isOwn(key: SaleKey, object: KubeObject): boolean {
    const owner = this.#sales.get(key)?.metadata;
    return owner !== undefined && (object.kind === 'Pod' ? isPodOf : isOwnedBy)(owner, object);
  }

  #keep(key: SaleKey, object: KubeObject, gone: boolean): void {
    const id = `${object.kind}/${object.metadata.name}`;
    const parts = this.#parts.get(key) ?? new Map<string, KubeObject>();
    if (gone) parts.delete(id);
    else parts.set(id, object);
    if (parts.size === 0) this.#parts.delete(key);
    else this.#parts.set(key, parts);
  }
}

function saleOf({ metadata }: KubeObject): SaleKey | undefined {
  const sale = metadata.labels?.[SALE_LABEL];
  return sale === undefined ? undefined : keyOf(metadata.namespace, sale);
}
