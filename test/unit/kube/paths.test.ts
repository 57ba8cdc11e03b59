// Where objects are asked for.

import { describe, expect, test } from 'vitest';
import { RESOURCES, resourceOf } from '../../../operator/kube/objects.ts';
import { collectionPath, objectPath, withQuery } from '../../../operator/kube/paths.ts';

const { FlashSale, Namespace, Pod } = RESOURCES;

describe('paths', () => {
  test('of a collection: of a namespace, or of all', () => {
    expect(collectionPath(Pod, 'shop')).toBe('/api/v1/namespaces/shop/pods');
    expect(collectionPath(Pod)).toBe('/api/v1/pods');
    expect(collectionPath(FlashSale, 'shop')).toBe('/apis/flashsale.dev/v1alpha1/namespaces/shop/flashsales');
    expect(collectionPath(Namespace, 'shop')).toBe('/api/v1/namespaces');
  });

  test('of an object, and of its status', () => {
    expect(objectPath(FlashSale, 'shop', 'phone', 'status')).toBe(
      '/apis/flashsale.dev/v1alpha1/namespaces/shop/flashsales/phone/status',
    );
    expect(objectPath(Namespace, '', 'shop')).toBe('/api/v1/namespaces/shop');
  });

  test('never of something else than was meant', () => {
    expect(objectPath(Pod, 'shop', '../secrets/x')).toBe('/api/v1/namespaces/shop/pods/..%2Fsecrets%2Fx');
    expect(() => objectPath(Pod, 'shop', '')).toThrow('without a name');
    expect(() => objectPath(Pod, undefined, 'a')).toThrow('without a namespace');
    expect(() => resourceOf({ apiVersion: 'apps/v1beta1', kind: 'Deployment' })).toThrow('apps/v1beta1');
  });

  test('with a query: only what is given', () => {
    expect(withQuery('/x', { limit: 5, continue: undefined, labelSelector: 'a=b,c!=d', dryRun: '' })).toBe(
      '/x?limit=5&labelSelector=a%3Db%2Cc%21%3Dd',
    );
    expect(withQuery('/x', {})).toBe('/x');
  });
});

test('every kind is found by the objects of it', () => {
  for (const resource of Object.values(RESOURCES)) expect(resourceOf(resource)).toBe(resource);
});
