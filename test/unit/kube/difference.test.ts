// The first difference is found where there is one, and none where the API server only keeps things its own way.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { firstDifference } from '../../../operator/kube/difference.ts';

/** `undefined` for none, else its place. */
const place = (wanted: unknown, found: unknown) => firstDifference(wanted, found)?.path;

describe('no difference', () => {
  test.each<[string, unknown, unknown]>([
    ['the same', { a: { b: [1, 'x'] } }, { a: { b: [1, 'x'] } }],
    ['fields that the API server or others added', { spec: { a: 1 } }, { spec: { a: 1, b: 2 }, status: {} }],
    ['a field that is asked for as undefined', { a: undefined }, {}],
    ['null, where nothing is', { a: null }, {}],
    ['an empty text, list or mapping, where nothing is', { a: '', b: [], c: {} }, {}],
    ['a 0 that is not kept', { minReadySeconds: 0 }, {}],
    ['a false that is not kept', { hostNetwork: false }, {}],
    ['memory in another spelling', { memory: '1024Mi' }, { memory: '1Gi' }],
    ['CPU in another spelling', { cpu: '0.5' }, { cpu: '500m' }],
    ['CPU as a number', { cpu: 2 }, { cpu: '2' }],
    ['storage in another spelling', { storage: '1000Mi' }, { storage: '1048576000' }],
    ['a number that is kept as a text', { port: 8080 }, { port: '8080' }],
    ['a label that others added', { labels: { a: '1' } }, { labels: { a: '1', b: '2' } }],
    [
      'a container that others added',
      { containers: [{ name: 'a' }] },
      { containers: [{ name: 'mesh' }, { name: 'a' }] },
    ],
    ['variables in another order', { env: [{ name: 'A' }, { name: 'B' }] }, { env: [{ name: 'B' }, { name: 'A' }] }],
    ['a variable whose empty value is not kept', { env: [{ name: 'A', value: '' }] }, { env: [{ name: 'A' }] }],
    [
      "a container's port with its default protocol",
      { containers: [{ name: 'a', ports: [{ containerPort: 1 }] }] },
      { containers: [{ name: 'a', ports: [{ containerPort: 1, protocol: 'TCP' }] }] },
    ],
    ['a finalizer that others added', { finalizers: ['a'] }, { finalizers: ['b', 'a'] }],
    [
      'defaults inside the claims of a stateful set',
      { volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'] } }] },
      {
        volumeClaimTemplates: [
          {
            apiVersion: 'v1',
            kind: 'PersistentVolumeClaim',
            metadata: { name: 'data', creationTimestamp: null },
            spec: { accessModes: ['ReadWriteOnce'], volumeMode: 'Filesystem' },
            status: { phase: 'Pending' },
          },
        ],
      },
    ],
    [
      'the default protocol inside a network policy',
      { ingress: [{ ports: [{ port: 6379 }] }] },
      { ingress: [{ ports: [{ port: 6379, protocol: 'TCP' }] }] },
    ],
  ])('%s', (_, wanted, found) => expect(firstDifference(wanted, found)).toBeUndefined());
});

describe('a difference', () => {
  test.each<[string, unknown, unknown, string]>([
    ['a value', { spec: { replicas: 2 } }, { spec: { replicas: 3 } }, 'spec.replicas'],
    ['a missing field', { spec: { a: 1 } }, { spec: {} }, 'spec.a'],
    ['a missing object', { spec: { a: 1 } }, {}, 'spec'],
    ['a value instead of an object', { a: { b: 1 } }, { a: 'b' }, 'a'],
    ['a false that somebody removed', { automountServiceAccountToken: false }, {}, 'automountServiceAccountToken'],
    ['a 0 that somebody removed', { replicas: 0 }, {}, 'replicas'],
    ['false is not 0', { a: false }, { a: 0 }, 'a'],
    ['texts that are equal only as numbers', { version: '1.0' }, { version: '1' }, 'version'],
    ['memory', { limits: { memory: '1Gi' } }, { limits: { memory: '1G' } }, 'limits.memory'],
    [
      'an image',
      { containers: [{ name: 'a', image: 'x:1' }] },
      { containers: [{ name: 'a', image: 'x:2' }] },
      'containers[a].image',
    ],
    ['a container that is missing', { containers: [{ name: 'a' }] }, { containers: [{ name: 'b' }] }, 'containers[a]'],
    ['a label', { labels: { 'app.kubernetes.io/name': 'a' } }, { labels: {} }, 'labels[app.kubernetes.io/name]'],
    ['an argument', { args: ['a', 'b'] }, { args: ['a', 'c'] }, 'args[1]'],
    ['an argument more', { args: ['a'] }, { args: ['a', 'b'] }, 'args[1]'],
    ['an argument less', { args: ['a', 'b'] }, { args: ['a'] }, 'args[1]'],
    ['the order of arguments', { args: ['a', 'b'] }, { args: ['b', 'a'] }, 'args[0]'],
    ['a finalizer', { finalizers: ['a', 'b'] }, { finalizers: ['b'] }, 'finalizers'],
    ['a selector with an entry more', { selector: { a: '1' } }, { selector: { a: '1', b: '2' } }, 'selector.b'],
    [
      'a policy that was for every pod, and is for some now',
      { podSelector: {} },
      { podSelector: { matchLabels: { a: 'b' } } },
      'podSelector.matchLabels',
    ],
    [
      'a policy that admits from everywhere now',
      { ingress: [{ from: [{ podSelector: { matchLabels: { a: 'b' } } }] }] },
      { ingress: [{ from: [{ podSelector: { matchLabels: { a: 'b' } } }] }, {}] },
      'ingress[1]',
    ],
    [
      'a policy that admits to one more port now',
      { ingress: [{ ports: [{ port: 1 }] }] },
      { ingress: [{ ports: [{ port: 1 }, { port: 2 }] }] },
      'ingress[0].ports[1]',
    ],
    [
      'a policy that admits fewer now',
      { ingress: [{ ports: [{ port: 1 }] }] },
      { ingress: [{ ports: [{ port: 1, protocol: 'TCP' }], from: [{ podSelector: {} }] }] },
      'ingress[0].from',
    ],
  ])('%s', (_, wanted, found, path) => expect(place(wanted, found)).toBe(path));

  test('tells both values, and where nothing is wanted or found', () => {
    expect(firstDifference({ a: 1 }, { a: 2 }, 'spec')).toEqual({ path: 'spec.a', wanted: 1, found: 2 });
    expect(firstDifference({ a: [1, 2] }, { a: [1] })).toEqual({ path: 'a[1]', wanted: 2, found: undefined });
    expect(firstDifference({ selector: {} }, { selector: { x: 'y' } })).toEqual({
      path: 'selector.x',
      wanted: undefined,
      found: 'y',
    });
  });

  test('is the first one, in the order in which things are wanted', () => {
    expect(place({ b: 1, a: 1 }, { a: 2, b: 2 })).toBe('b');
  });
});

describe('whatever the object', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'env', 'selector', 'replicas', 'cpu', 'containers');
  const leaf = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constant(true), fc.constantFrom('x', 'y', '1Gi', '500m'));
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      leaf,
      fc.array(tie('value'), { minLength: 1, maxLength: 3 }),
      fc
        .uniqueArray(fc.tuple(fc.constantFrom('one', 'two', 'three'), leaf), { minLength: 1, selector: ([key]) => key })
        .map((items) => items.map(([key, inner]) => ({ name: key, inner }))),
      fc.dictionary(name, tie('value'), { minKeys: 1, maxKeys: 4 }),
    ),
  }));
  const object = fc.dictionary(name, value, { minKeys: 1 });

  test('it does not differ from itself', () => {
    fc.assert(
      fc.property(object, (one) => {
        expect(firstDifference(one, structuredClone(one))).toBeUndefined();
      }),
    );
  });

  test('what others add to fields and to lists with names does not count', () => {
    fc.assert(
      fc.property(object, (one) => {
        expect(firstDifference(one, withMore(one, '', false))).toBeUndefined();
      }),
    );
  });

  test('a leaf that is another one is found, where it is', () => {
    fc.assert(
      fc.property(object, fc.nat(), (one, pick) => {
        const leaves = leavesOf(one);
        const chosen = leaves[pick % leaves.length] ?? [];
        const found = firstDifference(one, withLeaf(one, chosen, 'another'));
        expect(found).toBeDefined();
        expect(found?.wanted).not.toEqual(found?.found);
      }),
    );
  });

  test('a leaf that is missing is found', () => {
    fc.assert(
      fc.property(object, fc.nat(), (one, pick) => {
        const leaves = leavesOf(one).filter((path) => typeof path.at(-1) === 'string');
        const chosen = leaves[pick % leaves.length];
        if (chosen) expect(firstDifference(one, withLeaf(one, chosen, 'none'))).toBeDefined();
      }),
    );
  });
});

type Path = (string | number)[];

function leavesOf(value: unknown, path: Path = []): Path[] {
  if (Array.isArray(value)) return value.flatMap((item, i) => leavesOf(item, [...path, i]));
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, [...path, key]));
}

function withLeaf(value: unknown, path: Path, leaf: 'another' | 'none'): unknown {
  const copy = structuredClone(value);
  let inner = copy as Record<string | number, unknown>;
  for (const key of path.slice(0, -1)) inner = inner[key] as typeof inner;
  const last = path.at(-1) ?? '';
  if (leaf === 'none') delete inner[last];
  else inner[last] = leaf;
  return copy;
}

/** As others would add to it; `whole`: inside what the API server keeps as one value. */
function withMore(value: unknown, field: string, whole: boolean): unknown {
  if (Array.isArray(value)) {
    const named = (item: unknown) => typeof item === 'object' && item !== null && 'name' in item;
    const byName = !whole && ['env', 'containers'].includes(field) && value.length > 0 && value.every(named);
    const items = value.map((item) => withMore(item, field, !byName));
    return byName ? [{ name: 'added' }, ...items] : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  const inOne = whole || field === 'selector';
  const fields = Object.entries(value).map(([key, inner]) => [key, withMore(inner, key, inOne)]);
  return Object.fromEntries(inOne ? fields : [...fields, ['added', 'by others']]);
}
