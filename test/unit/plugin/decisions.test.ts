// What the plugin decides before it asks, and makes of what it is answered.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FlashSale } from '../../../operator/api/flashsale.gen.ts';
import { errorOfStatus, KubeError } from '../../../operator/kube/errors.ts';
import { complaintsOf } from '../../../operator/plugin/complaints.ts';
import { mergePatch } from '../../../operator/plugin/merge-patch.ts';
import { podReports } from '../../../operator/plugin/pods.ts';
import { applierOf, lastApplied, sourceOf } from '../../../operator/plugin/source.ts';

describe('a merge patch as kubectl apply makes it', () => {
  test.each<[string, unknown, unknown, unknown]>([
    ['sets what the file says', undefined, { stock: 5 }, { stock: 5 }],
    ['takes away what it no longer says', { stock: 5, paused: true }, { stock: 5 }, { stock: 5, paused: null }],
    ['the same deeper down', { a: { b: 1, c: 2 } }, { a: { b: 1 } }, { a: { b: 1, c: null } }],
    ['replaces lists as a whole', { ids: ['a', 'b'] }, { ids: ['c'] }, { ids: ['c'] }],
    ['replaces a value by an object', { a: 1 }, { a: { b: 1 } }, { a: { b: 1 } }],
  ])('%s', (_, last, next, patch) => {
    expect(mergePatch(last, next)).toEqual(patch);
  });

  test('leads to the file where nobody else set anything', () => {
    const leaf = fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.array(fc.integer(), { maxLength: 3 }));
    const name = fc.constantFrom('a', 'b', 'c');
    const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.dictionary(name, fc.oneof({ depthSize: 'small' }, leaf, tie('tree')), { maxKeys: 3 }),
    }));
    fc.assert(
      fc.property(tree, tree, (last, next) => {
        expect(patched(last, mergePatch(last, next))).toEqual(next);
      }),
    );
  });
});

/** RFC 7386. */
function patched(target: unknown, patch: unknown): unknown {
  const isObject = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject(patch)) return patch;
  const result: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch))
    if (value === null) delete result[name];
    else result[name] = patched(result[name], value);
  return result;
}

describe('complaints of an API server', () => {
  const status = (code: number, reason: string, message: string, causes: object[] = []) =>
    errorOfStatus('PATCH /apis', { kind: 'Status', code, reason, message, details: { causes } });
  test.each<[string, KubeError, unknown]>([
    [
      'of several fields',
      status(422, 'Invalid', 'FlashSale "x" is invalid', [
        { reason: 'FieldValueInvalid', field: 'spec.stock', message: 'Invalid value: -5: must be at least 0' },
        { reason: 'FieldValueInvalid', field: '<nil>', message: 'some validation rules were not checked because …' },
      ]),
      [{ field: 'spec.stock', message: 'got -5: must be at least 0' }],
    ],
    [
      'of texts and of objects, which would be too long to show',
      status(422, 'Invalid', 'FlashSale "x" is invalid', [
        { reason: 'FieldValueInvalid', field: 'spec.token.ttl', message: 'Invalid value: "1d": must be a duration' },
        { reason: 'FieldValueInvalid', field: 'spec.auth', message: 'Invalid value: must have exactly one' },
        { reason: 'FieldValueInvalid', field: 'spec.kafka', message: 'Invalid value: "object": add its servers' },
        { reason: 'FieldValueNotSupported', field: 'spec.x', message: 'Unsupported value: "Y"' },
      ]),
      [
        { field: 'spec.token.ttl', message: 'got "1d": must be a duration' },
        { field: 'spec.auth', message: 'must have exactly one' },
        { field: 'spec.kafka', message: 'add its servers' },
        { field: 'spec.x', message: 'Unsupported value: "Y"' },
      ],
    ],
    [
      'of unknown fields',
      status(400, 'BadRequest', 'strict decoding error: unknown field "spec.stok", unknown field "spec.cache.node"'),
      [
        { field: 'spec.stok', message: 'unknown field' },
        { field: 'spec.cache.node', message: 'unknown field' },
      ],
    ],
    [
      'of unknown fields of a patch',
      status(
        422,
        'Invalid',
        'FlashSale "" is invalid: patch: Invalid value: "{…}": strict decoding error: unknown field "spec.stok"',
        [{ reason: 'FieldValueInvalid', field: 'patch', message: 'Invalid value: …' }],
      ),
      [{ field: 'spec.stok', message: 'unknown field' }],
    ],
    [
      'of fields that are somebody else’s',
      status(409, 'Conflict', 'Apply failed', [
        { reason: 'FieldManagerConflict', field: '.spec.stock', message: 'conflict with "kubectl-edit" using v1' },
      ]),
      [
        {
          field: 'spec.stock',
          message: 'is set by kubectl-edit, and stays so unless you apply with --force-conflicts',
        },
      ],
    ],
    [
      'of a namespace that does not exist',
      status(404, 'NotFound', 'namespaces "shop" not found'),
      [{ field: 'metadata.namespace', message: 'namespaces "shop" not found' }],
    ],
    [
      'of a policy',
      status(403, 'Forbidden', 'admission webhook "policy" denied the request: no sales on Fridays'),
      [{ field: '', message: 'admission webhook "policy" denied the request: no sales on Fridays' }],
    ],
    ['about who may do it', status(403, 'Forbidden', 'User "ada" cannot patch resource "flashsales"'), undefined],
    ['about nothing', new KubeError('GET /: cannot be reached (ECONNREFUSED)', 0, 'Unreachable'), undefined],
  ])('%s', (_, error, complaints) => {
    expect(complaintsOf(error)).toEqual(complaints);
  });
});

describe('who keeps a sale', () => {
  const sale = (metadata: object) => ({ metadata }) as unknown as FlashSale;
  test.each<[string | undefined, object]>([
    [undefined, {}],
    ['Argo CD', { annotations: { 'argocd.argoproj.io/tracking-id': 'shop:flashsale.dev/FlashSale:shop/phone' } }],
    ['Argo CD', { managedFields: [{ manager: 'argocd-controller', operation: 'Update' }] }],
    ['Flux', { labels: { 'kustomize.toolkit.fluxcd.io/name': 'sales' } }],
    ['Helm', { labels: { 'app.kubernetes.io/managed-by': 'Helm' } }],
  ])('%s, by %j', (source, metadata) => {
    expect(sourceOf(sale(metadata))).toBe(source);
  });

  test('the manager whose next apply drops what it leaves out is the one that applied the spec', () => {
    const managedFields = [
      { manager: 'flashsale-operator', operation: 'Apply', subresource: 'status', fieldsV1: { 'f:status': {} } },
      { manager: 'kubectl-edit', operation: 'Update', fieldsV1: { 'f:spec': {} } },
      { manager: 'kustomize-controller', operation: 'Apply', fieldsV1: { 'f:spec': {} } },
    ];
    expect(applierOf(sale({ managedFields }))).toBe('kustomize-controller');
    expect(applierOf(sale({ managedFields: managedFields.slice(0, 2) }))).toBeUndefined();
  });

  test('what kubectl applied the last time is found, and does no harm when it is not JSON', () => {
    const named = (text: string) => sale({ annotations: { 'kubectl.kubernetes.io/last-applied-configuration': text } });
    expect(lastApplied(named('{"spec":{"stock":1}}'))).toEqual({ spec: { stock: 1 } });
    expect(lastApplied(named('{'))).toBeUndefined();
    expect(lastApplied(sale({}))).toBeUndefined();
  });
});

describe('a pod that is not ready says', () => {
  const waiting = (reason: string) => ({
    name: 'redis',
    ready: false,
    restartCount: 0,
    state: { waiting: { reason } },
  });
  test.each<[string, object, object]>([
    [
      'which container cannot be started',
      { containerStatuses: [waiting('ErrImagePull')] },
      { state: 'redis: ErrImagePull' },
    ],
    ['that it is being made', { containerStatuses: [waiting('ContainerCreating')] }, { state: 'Pending' }],
    [
      'which container failed',
      {
        initContainerStatuses: [
          { name: 'init', ready: false, restartCount: 2, state: { terminated: { reason: 'Error', exitCode: 3 } } },
        ],
      },
      { state: 'init: Error (exit code 3)', restarts: 2 },
    ],
    [
      'that no node takes it',
      { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }] },
      { state: 'Unschedulable' },
    ],
    [
      'what it waits for',
      {
        phase: 'Running',
        containerStatuses: [{ name: 'agent', ready: false, restartCount: 0, state: { running: {} } }],
      },
      { state: 'waiting for agent' },
    ],
    ['why it was thrown out', { phase: 'Failed', reason: 'Evicted' }, { state: 'Evicted' }],
  ])('%s', (_, status, report) => {
    const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' }, status };
    expect(podReports([object])).toMatchObject([{ name: 'x', ready: false, ...report }]);
  });

  test('that it ends', () => {
    const metadata = { name: 'x', deletionTimestamp: '2026-12-01T12:00:00Z' };
    expect(podReports([{ apiVersion: 'v1', kind: 'Pod', metadata }])).toMatchObject([{ state: 'ending' }]);
  });
});
