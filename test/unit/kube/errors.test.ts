// What the API server refused is said with what, why and by whom, and never with what was sent.

import { describe, expect, test } from 'vitest';
import { errorOfAnswer, errorOfStatus, isConflict, isGone } from '../../../operator/kube/errors.ts';

const status = (fields: object) => JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', ...fields });

describe('an answer of the API server', () => {
  test('is said in its own words', () => {
    const body = status({ reason: 'NotFound', message: 'pods "a" not found', code: 404 });
    const error = errorOfAnswer('GET /api/v1/namespaces/x/pods/a', 404, body, undefined);
    expect(error.message).toBe('GET /api/v1/namespaces/x/pods/a: 404 NotFound pods "a" not found');
    expect(error).toMatchObject({ status: 404, reason: 'NotFound', conflicts: [], retryAfter: undefined });
  });

  test('names who is in the way of an apply, and which field', () => {
    const causes = [
      {
        reason: 'FieldManagerConflict',
        message: 'conflict with "kubectl-edit" using apps/v1',
        field: '.spec.replicas',
      },
      {
        reason: 'FieldManagerConflict',
        message: 'conflict with "helm \\"x\\"" with subresource "scale" using apps/v1 at 2026-01-01T00:00:00Z',
        field: '.spec.template.spec.containers[name="a"].image',
      },
      { reason: 'FieldValueInvalid', message: 'something "else"', field: '.x' },
    ];
    const error = errorOfAnswer(
      'PATCH x',
      409,
      status({ reason: 'Conflict', code: 409, details: { causes } }),
      undefined,
    );
    expect(isConflict(error)).toBe(true);
    expect(error.conflicts).toEqual([
      { manager: 'kubectl-edit', field: '.spec.replicas' },
      { manager: 'helm \\"x\\"', field: '.spec.template.spec.containers[name="a"].image' },
    ]);
  });

  test('may ask to wait in its header or in its words; the header counts', () => {
    const body = status({ code: 429, details: { retryAfterSeconds: 7 } });
    expect(errorOfAnswer('GET x', 429, body, '3').retryAfter).toBe(3000);
    expect(errorOfAnswer('GET x', 429, body, undefined).retryAfter).toBe(7000);
    expect(errorOfAnswer('GET x', 429, body, 'Wed, 21 Oct 2026 07:28:00 GMT').retryAfter).toBe(7000);
    expect(errorOfAnswer('GET x', 429, '', '3').retryAfter).toBe(3000);
  });

  test('of a proxy on the way is shown, shortened', () => {
    const error = errorOfAnswer('GET x', 502, `<html>\n  Bad   Gateway ${'!'.repeat(1000)}</html>`, undefined);
    expect(error.message).toMatch(/^GET x: 502 <html> Bad Gateway !+$/);
    expect(error.message.length).toBeLessThan(250);
    expect(errorOfAnswer('GET x', 504, '', undefined).message).toBe('GET x: 504');
  });
});

test('a forgotten version is told by its status, in an answer and in a watch alike', () => {
  const gone = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version: 1 (5)' };
  expect(isGone(errorOfStatus('watch', gone))).toBe(true);
  expect(isGone(errorOfAnswer('GET x', 410, JSON.stringify(gone), undefined))).toBe(true);
  expect(isGone(errorOfStatus('watch', undefined))).toBe(false);
  expect(isGone(new Error('410'))).toBe(false);
});
