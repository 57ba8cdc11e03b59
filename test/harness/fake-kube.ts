// The objects of one namespace in memory, with as much of an API server's behaviour as ownership needs: names are unique,
// every object has a uid, and a write that names another uid is refused.

import type { KubeClient } from '../../operator/kube/client.ts';
import { KubeError } from '../../operator/kube/errors.ts';
import type { KubeObject, Meta } from '../../operator/kube/objects.ts';

interface FakeKube {
  client: KubeClient;
  /** Every object, by `Kind/name`. */
  objects: Map<string, KubeObject>;
  /** Puts an object there, as somebody else would. */
  put(object: KubeObject): void;
}

export function fakeKube(): FakeKube {
  const objects = new Map<string, KubeObject>();
  let versions = 0;
  const idOf = (kind: string, name: string) => `${kind}/${name}`;
  const keep = (object: KubeObject): KubeObject => {
    const resourceVersion = String(++versions);
    const { uid = `uid-${versions}` } = object.metadata;
    const kept = { ...object, metadata: { ...object.metadata, uid, resourceVersion } };
    objects.set(idOf(object.kind, object.metadata.name), kept);
    return kept;
  };
  const held = (kind: string, name: string, uid: string | undefined): KubeObject => {
    const found = objects.get(idOf(kind, name));
    if (found === undefined) throw new KubeError(`no ${kind} ${name}`, 404, 'NotFound');
    if (uid !== undefined && uid !== found.metadata.uid) throw new KubeError(`another uid of ${name}`, 409, 'Conflict');
    return found;
  };

  const client: Partial<KubeClient> = {
    get: async ({ kind }, _namespace, name) => objects.get(idOf(kind, name)),
    async list({ kind }, { labelSelector = '' } = {}) {
      const [label = '', value] = labelSelector.split('=');
      const items = [...objects.values()].filter(
        ({ kind: its, metadata }) => its === kind && (label === '' || metadata.labels?.[label] === value),
      );
      return { items, resourceVersion: String(versions) };
    },
    async *watch(_, { signal }) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    },
    async create(object) {
      const { kind, metadata } = object;
      if (objects.has(idOf(kind, metadata.name)))
        throw new KubeError(`${metadata.name} is there`, 409, 'AlreadyExists');
      return keep(object);
    },
    async apply(object) {
      const { kind, metadata } = object;
      const found = held(kind, metadata.name, metadata.uid);
      return keep({ ...found, ...object, metadata: { ...found.metadata, ...metadata } });
    },
    async patch({ kind }, _namespace, name, patch) {
      const { metadata = {}, ...rest } = patch as { metadata?: Partial<Meta> };
      const found = held(kind, name, metadata.uid);
      const annotations = { ...found.metadata.annotations, ...metadata.annotations };
      return keep({ ...found, ...rest, metadata: { ...found.metadata, ...metadata, annotations } });
    },
    async delete({ kind }, _namespace, name, { uid } = {}) {
      if (objects.has(idOf(kind, name))) held(kind, name, uid);
      objects.delete(idOf(kind, name));
    },
  };
  return { client: client as KubeClient, objects, put: (object) => void keep(object) };
}
