// What a reflector knows, and what it says is new.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../operator/kube/objects.ts';
import { Store } from '../../../operator/kube/store.ts';

const object = (name: string, version: number, uid = name): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'shop', resourceVersion: String(version), uid },
});
const added = (of: KubeObject) => ({ type: 'ADDED' as const, object: of, resourceVersion: '0' });
const deleted = (of: KubeObject) => ({ type: 'DELETED' as const, object: of, resourceVersion: '0' });

describe('a list', () => {
  test('tells what is new, what changed, and what is gone', () => {
    const known = new Store();
    known.replace([object('same', 1), object('changed', 1), object('gone', 1)]);
    const changes = known.replace([object('same', 1), object('changed', 2), object('new', 3)]);
    expect(changes.map(({ what, object }) => [what, object.metadata.name])).toEqual([
      ['deleted', 'gone'],
      ['modified', 'changed'],
      ['added', 'new'],
    ]);
  });

  test('tells a namesake from the object that had the name before', () => {
    const known = new Store();
    known.replace([object('a', 1, 'first')]);
    const changes = known.replace([object('a', 9, 'second')]);
    expect(changes.map(({ what, object }) => [what, object.metadata.uid])).toEqual([
      ['deleted', 'first'],
      ['added', 'second'],
    ]);
  });
});

describe('an event', () => {
  test('of what is known already is no news', () => {
    const known = new Store();
    known.replace([object('a', 1)]);
    expect(known.take(added(object('a', 1)))).toEqual([]);
    expect(known.take(deleted(object('b', 1)))).toEqual([]);
    expect(known.take(added(object('a', 2)))).toEqual([{ what: 'modified', object: object('a', 2) }]);
  });

  test('of a deletion tells the last state', () => {
    const known = new Store();
    known.replace([object('a', 1)]);
    expect(known.take(deleted(object('a', 5)))).toEqual([{ what: 'deleted', object: object('a', 5) }]);
    expect(known.get('shop', 'a')).toBeUndefined();
  });
});

test('who set which field is not kept', () => {
  const known = new Store();
  const one = object('a', 1);
  known.replace([{ ...one, metadata: { ...one.metadata, managedFields: [{}] } as KubeObject['metadata'] }]);
  expect(known.get('shop', 'a')).toEqual(one);
});

test('what was said always adds up to what is known', () => {
  const objects = fc
    .uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(5), fc.constantFrom('x', 'y')), {
      selector: ([n]) => n,
    })
    .map((all) => all.map(([name, version, uid]) => object(name, version, uid)));
  const step = fc.oneof(
    objects.map((items) => (known: Store) => known.replace(items)),
    objects.map((items) => (known: Store) => items.flatMap((one) => known.take(added(one)))),
    objects.map((items) => (known: Store) => items.flatMap((one) => known.take(deleted(one)))),
  );
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const known = new Store();
      const heard = new Map<string, KubeObject>();
      for (const take of steps)
        for (const { what, object } of take(known)) {
          const { name } = object.metadata;
          expect(what === 'added').toBe(!heard.has(name));
          if (what === 'deleted') heard.delete(name);
          else heard.set(name, object);
        }
      expect([...heard.values()].sort(byName)).toEqual(known.list().sort(byName));
      expect(known.size).toBe(heard.size);
    }),
  );
});

const byName = (a: KubeObject, b: KubeObject) => a.metadata.name.localeCompare(b.metadata.name);
