import { describe, expect, test } from 'vitest';
import { parseSettings } from '../../../operator/reconcile/settings.ts';

const images = 'images: {flashsale: f, redis: r, postgres: p}';

describe('the operator’s configuration file', () => {
  test('the images are enough; the rest has defaults', () =>
    expect(parseSettings('operator.yaml', images)).toMatchObject({
      sales: { images: { flashsale: 'f' }, imagePullPolicy: 'IfNotPresent', watchNamespaces: [] },
      election: undefined,
      metrics: { host: '0.0.0.0', port: 9090 },
      console: undefined,
    }));

  test('durations and addresses are read', () =>
    expect(
      parseSettings(
        'operator.yaml',
        `${images}
leaderElection: {namespace: n, name: l, renewDeadline: 5s}
console: {enabled: true, listen: "127.0.0.1:0", auth: {kind: basic, user: ann, passwordFile: /p}}`,
      ),
    ).toMatchObject({
      election: { leaseDuration: 15_000, renewDeadline: 5000, retryPeriod: 2000 },
      console: { listen: { port: 0 }, auth: { kind: 'basic', user: 'ann', passwordFile: '/p' } },
    }));

  test.each([
    ['nothing at all', '', /operator\.yaml: images: /],
    ['a field that is none', `${images}\nkafkas: {}`, /operator\.yaml: kafkas: .*kafka/],
    ['a wrong type', `${images}\nwatchNamespaces: shop`, /watchNamespaces: .*list/],
    ['no broker', `${images}\nkafka: {bootstrapServers: []}`, /kafka\.bootstrapServers/],
    ['a policy that is none', `${images}\nimagePullPolicy: Sometimes`, /imagePullPolicy: .*Always/],
  ])('%s is refused in a sentence', (_, text, message) =>
    expect(() => parseSettings('operator.yaml', text)).toThrow(message),
  );
});
