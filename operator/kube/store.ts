// The objects that a reflector knows, and what is new in a list or an event. Pure data: no server, no clock. The
// objects are shared with whoever reads them, so nobody changes them.

import { type KubeObject, keyOf } from './objects.ts';
import type { WatchEvent } from './watch-lines.ts';

export interface Change {
  what: 'added' | 'modified' | 'deleted';
  /** The object as it is, or, when it was deleted, as it was last known. */
  object: KubeObject;
}

export class Store {
  readonly #objects = new Map<string, KubeObject>();

  get size(): number {
    return this.#objects.size;
  }

  get(namespace: string, name: string): KubeObject | undefined {
    return this.#objects.get(keyOf(namespace, name));
  }

  list(): KubeObject[] {
    return [...this.#objects.values()];
  }

  /** Takes a complete list: what is not in it is deleted, though no event said so. */
  replace(items: readonly KubeObject[]): Change[] {
    const listed = new Set(items.map(keyOfObject));
    const gone = this.list().filter((object) => !listed.has(keyOfObject(object)));
    return [...gone.flatMap((object) => this.#remove(object)), ...items.flatMap((object) => this.#put(object))];
  }

  take(event: Exclude<WatchEvent, { type: 'BOOKMARK' }>): Change[] {
    return event.type === 'DELETED' ? this.#remove(event.object) : this.#put(event.object);
  }

  #put(object: KubeObject): Change[] {
    const key = keyOfObject(object);
    const before = this.#objects.get(key);
    const slim = withoutBookkeeping(object);
    this.#objects.set(key, slim);
    if (before === undefined) return [{ what: 'added', object: slim }];
    // A namesake: the one known was deleted, and this one made, while nobody looked.
    if (before.metadata.uid !== slim.metadata.uid)
      return [
        { what: 'deleted', object: before },
        { what: 'added', object: slim },
      ];
    if (before.metadata.resourceVersion === slim.metadata.resourceVersion) return [];
    return [{ what: 'modified', object: slim }];
  }

  #remove(object: KubeObject): Change[] {
    return this.#objects.delete(keyOfObject(object)) ? [{ what: 'deleted', object: withoutBookkeeping(object) }] : [];
  }
}

const keyOfObject = ({ metadata }: KubeObject): string => keyOf(metadata.namespace, metadata.name);

/** Leaves out metadata.managedFields: who set which field is the larger half of many an object, and only the API server needs it. */
function withoutBookkeeping(object: KubeObject): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata as KubeObject['metadata'] & { managedFields?: unknown };
  return { ...object, metadata };
}
