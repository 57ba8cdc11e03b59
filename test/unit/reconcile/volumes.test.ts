import { expect, test } from 'vitest';
import type { KubeObject } from '../../../operator/kube/objects.ts';
import { keepVolumes } from '../../../operator/reconcile/volumes.ts';

const set = (size: string, replicas: number, filledIn: object = {}): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'phone-shard' },
  spec: {
    replicas,
    volumeClaimTemplates: [
      { metadata: { name: 'data' }, spec: { resources: { requests: { storage: size } }, ...filledIn }, status: {} },
    ],
  },
});
const filledIn = { volumeMode: 'Filesystem' };

test('a new set gets the volumes the resource asks for', () =>
  expect(keepVolumes(set('2Gi', 1), undefined)).toEqual({ wanted: set('2Gi', 1) }));

test('volumes as they are, whatever the API server filled in, are nothing wrong', () =>
  expect(keepVolumes(set('1Gi', 2), set('1Gi', 1, filledIn))).toEqual({ wanted: set('1Gi', 2) }));

test('another size leaves the volumes alone, lets every other edit through, and is told', () => {
  const { wanted, degradedReason } = keepVolumes(set('2Gi', 3), set('1Gi', 1, filledIn));
  expect(wanted.spec).toEqual({
    replicas: 3,
    volumeClaimTemplates: [
      { metadata: { name: 'data' }, spec: { resources: { requests: { storage: '1Gi' } }, ...filledIn } },
    ],
  });
  expect(degradedReason).toMatchObject({ reason: 'ApplyConflict', blocks: false });
  expect(degradedReason?.message).toMatch(/phone-shard keeps its volumes.*"2Gi" where they have "1Gi"/);
});
