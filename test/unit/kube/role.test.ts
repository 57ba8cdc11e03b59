// A pod says that it leads by a label that pods are not made with, and says nothing else.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ownPod, rolePatch, untilNextWrite } from '../../../operator/kube/role.ts';

describe('the label', () => {
  test('is on the pod of the leader', () => {
    expect(rolePatch('leader')).toEqual({ metadata: { labels: { 'flashsale.dev/role': 'leader' } } });
  });

  test('is taken off the pod of one that stands by', () => {
    expect(rolePatch('standby')).toEqual({ metadata: { labels: { 'flashsale.dev/role': null } } });
  });

  test('is looked after from time to time, and sooner while it could not be written', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (failures, random) => {
          expect(untilNextWrite(failures, random)).toBeGreaterThan(0);
          expect(untilNextWrite(failures, random)).toBeLessThanOrEqual(untilNextWrite(0, random));
        },
      ),
    );
    expect(untilNextWrite(1, 0.999)).toBeLessThan(1000);
  });
});

test.each([
  [
    { POD_NAMESPACE: 'flashsale-system', POD_NAME: 'a' },
    { namespace: 'flashsale-system', name: 'a' },
  ],
  [{ POD_NAME: 'a' }, undefined],
  [{}, undefined],
])('the own pod is the one that the environment names: %j', (environment, pod) => {
  expect(ownPod(environment)).toEqual(pod);
});
