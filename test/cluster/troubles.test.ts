// What only the operator can know of a resource: applied with kubectl, each gets its documented reason and a sentence
// that says what to do, and disturbs nobody else.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../harness/until.ts';
import { install, kubectl, Sale } from './flashsale.ts';

const MINUTE = 60_000;

interface Case {
  name: string;
  /** Further lines of the spec. */
  more: string;
  reason: string;
  message: RegExp;
}

const CASES: Case[] = [
  {
    name: 'nosecret',
    more: `kafka:
  bootstrapServers: ['kafka.example.com:9093']
  tls: {enabled: true}
  sasl: {mechanism: PLAIN, username: shop, secretRef: {name: kafka-login, key: password}}`,
    reason: 'MissingReference',
    message: /there is no Secret kafka-login with the label/i,
  },
  {
    name: 'nolist',
    more: 'qualification: {perBuyer: 1, maxQuantity: 1, allowList: {configMapRefs: [{name: members}]}}',
    reason: 'MissingReference',
    message: /there is no ConfigMap members/i,
  },
  {
    name: 'nokafka',
    more: "kafka: {bootstrapServers: ['127.0.0.1:1']}",
    reason: 'KafkaUnavailable',
    message: /no shard was heard of .* 127\.0\.0\.1:1 may be out of reach/i,
  },
  {
    name: 'noclass',
    more: '',
    reason: 'VolumePending',
    message: /unbound.* storage class nowhere/i,
  },
  {
    name: 'noquota',
    more: '',
    reason: 'QuotaExceeded',
    message: /exceeded quota/i,
  },
];

const small = { stock: 10, caches: 1, shards: 1, replicas: 1 };

const readyFor = (sale: Sale, reason: string) =>
  until(
    `${sale.name} to say why`,
    async () => {
      const condition = await sale.condition('Ready');
      return condition?.reason === reason && condition;
    },
    4 * MINUTE,
  );

/** Of nothing at all; until its status says so, too, the API server lets everything through. */
async function quota(sale: Sale, name: string, what: string): Promise<void> {
  await kubectl(['create', 'quota', name, `--hard=${what}=0`, '-n', sale.namespace]);
  const holds = `--for=jsonpath={.status.hard.${what}}=0`;
  await kubectl(['wait', holds, `quota/${name}`, '-n', sale.namespace, '--timeout=60s']);
}

/** One installation whose operator gives sales an image that does not exist, and its only upgrade, to one that does. */
describe('what only the operator can know', () => {
  const noImage = new Sale('noimage', small);
  const sales = new Map(CASES.map(({ name, more }) => [name, new Sale(name, { ...small, more })]));
  const good = new Sale('good', small);
  const unclaimed = new Sale('unclaimed', small);
  afterAll(async () => {
    await Promise.all([noImage, good, unclaimed, ...sales.values()].map((sale) => sale.destroy()));
  }, 5 * MINUTE);

  test(
    'an image that cannot start: the condition names the container and its image',
    async () => {
      await install('sales.images.redis=localhost/nothing:dev');
      await noImage.apply();
      const { status, message } = await readyFor(noImage, 'ImageCannotStart');
      expect(status).toBe('False');
      expect(message).toMatch(/container redis of pod noimage-cache-0 does not start: .*localhost\/nothing:dev/);
      await noImage.isToldOf('ImageCannotStart');
    },
    6 * MINUTE,
  );

  describe('with a better image', () => {
    // All at once: each waits for something else.
    beforeAll(async () => {
      await install();
      for (const [name, sale] of sales) {
        if (name === 'noquota') {
          await sale.makeNamespace();
          await quota(sale, 'small', 'pods');
        }
        await sale.apply(name === 'noclass' ? { storageClass: 'nowhere' } : {});
      }
      await unclaimed.makeNamespace();
      await quota(unclaimed, 'claims', 'persistentvolumeclaims');
      await unclaimed.apply();
      await good.apply();
    }, 5 * MINUTE);

    test(
      'what a quota refuses to StatefulSets alone is told in its words, and the sale goes on when the quota is raised',
      async () => {
        const { status, message } = await readyFor(unclaimed, 'QuotaExceeded');
        expect(status).toBe('False');
        expect(message).toMatch(/data-unclaimed-\w+-0.* exceeded quota: claims, requested: persistentvolumeclaims=1/);
        await unclaimed.isToldOf('QuotaExceeded');
        const more = JSON.stringify({ spec: { hard: { persistentvolumeclaims: '3' } } });
        await kubectl(['patch', 'quota', 'claims', '-n', unclaimed.namespace, '-p', more]);
        // The controller tries again after as long as it was refused, so this is asked for first.
        await unclaimed.settles(5 * MINUTE);
      },
      10 * MINUTE,
    );

    test('the sale that waited for it goes on', () => noImage.settles(4 * MINUTE), 5 * MINUTE);

    test.each(CASES)(
      '$name: Ready says $reason, and an event too',
      async ({ name, reason, message }) => {
        const sale = sales.get(name) as Sale;
        const ready = await readyFor(sale, reason);
        expect(ready).toMatchObject({ status: 'False', reason });
        expect(ready.message).toMatch(message);
        await sale.isToldOf(reason);
      },
      5 * MINUTE,
    );

    test('meanwhile another sale becomes ready', () => good.becomes('Ready', 'True', 120), 3 * MINUTE);

    test(
      'a missing ConfigMap that appears is found, and the sale goes on',
      async () => {
        const sale = sales.get('nolist') as Sale;
        await kubectl(['create', 'configmap', 'members', '--from-literal=ids=ann', '-n', sale.namespace]);
        await kubectl(['label', 'configmap', 'members', 'flashsale.dev/usable=true', '-n', sale.namespace]);
        await sale.becomes('Ready', 'True', 120);
      },
      3 * MINUTE,
    );
  });
});
