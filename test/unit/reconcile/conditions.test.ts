import { describe, expect, test } from 'vitest';
import type { ConditionStatus } from '../../../operator/api/flashsale.gen.ts';
import { conditionsOf, firstConditions, type Standing } from '../../../operator/reconcile/conditions.ts';
import { type DegradedReason, degradedReasonsOf, readinessOf } from '../../../operator/reconcile/degraded-reasons.ts';
import { REASONS } from '../../../operator/reconcile/reasons.ts';
import { cluster, pod, workload } from './fixture.ts';

const THEN = '2026-12-01T12:00:00Z';
const NOW = '2026-12-01T12:05:00Z';

const standing = (change: Partial<Standing> = {}): Standing => ({
  phase: 'Selling',
  degradedReasons: [],
  readiness: readinessOf(cluster()),
  progress: undefined,
  balance: { status: 'True', reason: 'Covered', message: 'Every shard has what its tokens were promised.' },
  auth: { kind: 'jwt', buyerClaim: 'sub' },
  ...change,
});
const of = (type: string, conditions: ConditionStatus[]) => conditions.find((condition) => condition.type === type);
const judged = (change: Partial<Standing>, before: ConditionStatus[] = []) => {
  const conditions = conditionsOf(standing(change), before, NOW);
  return (type: string) => {
    const { status, reason, message } = of(type, conditions) ?? {};
    return `${status} ${reason}: ${message}`;
  };
};

const down = cluster({
  workloads: [workload('cache', 2, { readyReplicas: 1 })],
  pods: [pod('cache', 1, { ready: false })],
});
const noCache = cluster({
  workloads: [workload('cache', 2, { readyReplicas: 0 })],
  pods: [pod('cache', 0, { ready: false }), pod('cache', 1, { ready: false })],
});
const badImage = cluster({
  workloads: [workload('storefront', 1, { readyReplicas: 0 })],
  pods: [pod('storefront', 0, { ready: false, waiting: { reason: 'ImagePullBackOff', message: 'not found' } })],
});

describe('what each condition says', () => {
  test.each(['Selling', 'Scheduled', 'Paused', 'SoldOut', 'Closed'] as const)('%s is ready, by that reason', (phase) =>
    expect(judged({ phase })('Ready')).toMatch(new RegExp(`^True ${phase}: `)),
  );

  test('a sale that starts is not ready, and says what it waits for', () => {
    const say = judged({ phase: 'Pending', progress: { reason: 'Starting', message: 'waits for the pool' } });
    expect(say('Ready')).toBe('False Starting: Waits for the pool.');
    expect(say('Progressing')).toBe('True Starting: Waits for the pool.');
    expect(say('Degraded')).toMatch(/^False AsExpected/);
  });

  test('a sale whose stock is still being allocated is not ready, though every pod is', () =>
    expect(judged({ progress: { reason: 'Starting', message: 'waits for the first reports' } })('Ready')).toBe(
      'False Starting: Waits for the first reports.',
    ));

  test('a resize pauses purchases: not ready meanwhile', () =>
    expect(judged({ phase: 'Resizing' })('Ready')).toMatch(/^False Resizing/));

  test('one node of two down leaves the sale ready and degraded, and is named', () => {
    const say = judged({ readiness: readinessOf(down) });
    expect(say('Ready')).toMatch(/^True Selling/);
    expect(say('Degraded')).toBe('True PartlyReady: Not ready: 1 of 2 cache nodes (phone-cache-1).');
  });

  test('no node of any kind left: not ready, by the part that is missing', () =>
    expect(judged({ readiness: readinessOf(noCache) })('Ready')).toBe(
      'False CachesNotReady: Not ready: 2 of 2 cache nodes (phone-cache-0, phone-cache-1).',
    ));

  test('an image that cannot be pulled is named, with the pod and what the kubelet says', () => {
    const say = judged({ degradedReasons: degradedReasonsOf(badImage), readiness: readinessOf(badImage) });
    expect(say('Ready')).toBe(
      'False ImageCannotStart: Storefront phone-storefront-0: container agent of pod phone-storefront-0 does not start: ImagePullBackOff, not found.',
    );
    expect(say('Degraded')).toMatch(/^True ImageCannotStart/);
  });

  test('without its pool a sale sells on: ready, and degraded', () => {
    const noPool = cluster({ pods: [pod('pool', 0, { ready: false })] });
    const say = judged({ readiness: readinessOf(noPool) });
    expect(say('Ready')).toMatch(/^True Selling/);
    expect(say('Degraded')).toBe('True PartlyReady: Not ready: the transfer pool (phone-pool-0).');
  });

  test('whatever is wrong with a sale that starts is why it is not ready', () => {
    const stuck = cluster({
      pods: [pod('pool', 0, { ready: false, waiting: { reason: 'CrashLoopBackOff', message: 'no space' } })],
    });
    expect(judged({ phase: 'Pending', degradedReasons: degradedReasonsOf(stuck) })('Ready')).toMatch(
      /^False ImageCannotStart: The transfer pool/,
    );
  });

  test('pods that are replaced are not degraded', () =>
    expect(
      judged({ readiness: readinessOf(down), progress: { reason: 'RollingOut', message: 'replacing' } })('Degraded'),
    ).toMatch(/^False/));

  test('the first look at a new sale says that nothing is known yet', () =>
    expect(firstConditions(NOW)).toMatchObject([{ type: 'Ready', status: 'Unknown', reason: 'Reconciling' }]));
});

test('lastTransitionTime moves with the status, not with reason or message', () => {
  const before = conditionsOf(standing(), [], THEN);
  const same = conditionsOf(standing({ phase: 'Paused' }), before, NOW);
  const other = conditionsOf(standing({ readiness: readinessOf(noCache) }), before, NOW);
  expect(of('Ready', same)).toMatchObject({ reason: 'Paused', lastTransitionTime: THEN });
  expect(of('Ready', other)).toMatchObject({ status: 'False', lastTransitionTime: NOW });
});

test('every reason that is written is a documented one', () => {
  const degradedReasons: DegradedReason[] = [
    ...degradedReasonsOf(badImage),
    { reason: 'KafkaUnavailable', message: 'no broker', blocks: true },
  ];
  const standings = [
    standing(),
    standing({ phase: 'Pending' }),
    standing({ degradedReasons }),
    standing({ readiness: readinessOf(noCache) }),
  ];
  for (const { type, status, reason } of standings.flatMap((one) => conditionsOf(one, [], NOW)))
    expect(REASONS).toHaveProperty([type, status, reason]);
});

test.each<[Standing['auth'], string]>([
  [{ kind: 'jwt', buyerClaim: 'sub' }, 'True SignedTokens: A buyer is known by a signed token.'],
  [
    { kind: 'header', header: 'X-Buyer-Id', proxy: { header: 'X-Proxy-Secret', secretFile: 'proxy-secret' } },
    'True ProxySecret: A buyer is known by X-Buyer-Id, beside the secret of the proxy.',
  ],
  [
    { kind: 'header', header: 'X-Buyer-Id' },
    'False Insecure: spec.auth.trustedHeader.insecure: whoever reaches a storefront can buy as anybody.',
  ],
  [{ kind: 'none' }, 'False NoWay: spec.auth says no way to know a buyer: nobody is let in.'],
])('Authenticated says whether a buyer’s name is proved: %o', (auth, said) => {
  expect(judged({ auth })('Authenticated')).toBe(said);
});
