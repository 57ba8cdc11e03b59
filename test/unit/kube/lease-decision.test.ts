// Who may lead is decided by what was seen for how long, on one's own clock.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideLease, leaseOf, releasedLease, sighted } from '../../../operator/kube/lease-decision.ts';
import type { KubeObject } from '../../../operator/kube/objects.ts';

const lease = (spec: object, resourceVersion = '1'): KubeObject => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { namespace: 'x', name: 'leader', resourceVersion },
  spec,
});
const since = (time: number) => ({ resourceVersion: '1', since: time });

describe('the lease', () => {
  test.each<[string, KubeObject | undefined, number, string]>([
    ['is not there: make it', undefined, 0, 'create'],
    ['is ours: renew it', lease({ holderIdentity: 'me', leaseDurationSeconds: 15 }), 0, 'renew'],
    ['was given back: take it', lease({ holderIdentity: '', leaseDurationSeconds: 15 }), 0, 'take'],
    ['never had a holder: take it', lease({}), 0, 'take'],
    ["is another's: wait", lease({ holderIdentity: 'other', leaseDurationSeconds: 15 }), 0, 'wait'],
    [
      'was seen unchanged for just its duration: wait',
      lease({ holderIdentity: 'other', leaseDurationSeconds: 15 }),
      15_000,
      'wait',
    ],
    [
      'was seen unchanged for longer: take it',
      lease({ holderIdentity: 'other', leaseDurationSeconds: 15 }),
      15_001,
      'take',
    ],
  ])('%s', (_, found, age, action) => {
    expect(decideLease(found, 'me', since(1000), 1000 + age)).toBe(action);
  });

  test('is dead or alive by what we saw, whatever the clocks say that wrote it', () => {
    fc.assert(
      fc.property(fc.date({ noInvalidDate: true }), fc.nat(15_000), (renewed, age) => {
        const spec = { holderIdentity: 'other', leaseDurationSeconds: 15, renewTime: renewed.toISOString() };
        expect(decideLease(lease(spec), 'me', since(0), age)).toBe('wait');
        expect(decideLease(lease(spec), 'me', since(0), age + 15_001)).toBe('take');
      }),
    );
  });

  test('that changed is seen anew', () => {
    const first = sighted(undefined, lease({}, '1'), 100);
    expect(sighted(first, lease({}, '1'), 200)).toEqual({ resourceVersion: '1', since: 100 });
    expect(sighted(first, lease({}, '2'), 200)).toEqual({ resourceVersion: '2', since: 200 });
  });
});

describe('what is written', () => {
  const ours = { namespace: 'x', name: 'leader', me: 'me', duration: 15_000 };
  const date = new Date('2026-12-01T12:00:00.123Z');

  test('a new lease names us, from now', () => {
    expect(leaseOf(ours, undefined, date)).toEqual({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { namespace: 'x', name: 'leader' },
      spec: {
        holderIdentity: 'me',
        leaseDurationSeconds: 15,
        acquireTime: '2026-12-01T12:00:00.123000Z',
        renewTime: '2026-12-01T12:00:00.123000Z',
        leaseTransitions: 0,
      },
    });
  });

  test('one that is taken over counts one more holder, and is refused if it changed meanwhile', () => {
    const found = lease(
      { holderIdentity: 'other', leaseTransitions: 4, acquireTime: 'long ago', strategy: 'kept' },
      '77',
    );
    expect(leaseOf(ours, found, date)).toMatchObject({
      metadata: { resourceVersion: '77' },
      spec: { holderIdentity: 'me', leaseTransitions: 5, acquireTime: '2026-12-01T12:00:00.123000Z', strategy: 'kept' },
    });
  });

  test('a renewal changes only its time', () => {
    const before = leaseOf(ours, undefined, new Date(0));
    const { renewTime, ...rest } = leaseOf(ours, before, date).spec as { renewTime: string };
    expect(renewTime).toBe('2026-12-01T12:00:00.123000Z');
    expect(before.spec).toMatchObject(rest);
  });

  test('one that is given back has no holder', () => {
    expect(releasedLease(leaseOf(ours, undefined, new Date(0)), date).spec).toMatchObject({ holderIdentity: '' });
  });
});
