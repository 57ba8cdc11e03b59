// A sale on a real cluster, from `kubectl apply` to the last unit sold, and through what clusters do to it meanwhile.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KubeObject } from '../../operator/kube/objects.ts';
import { until } from '../harness/until.ts';
import { calm, component, install, kubectl, leader, names, object, Sale, SYSTEM, uninstall } from './flashsale.ts';

const MINUTE = 60_000;

beforeAll(() => install(), 4 * MINUTE);

const GOOD = { conserved: true, oversold: 0, stranded: 0, missing: 0, duplicateOrders: 0 };

describe('a sale of 5,000 units on 3 cache nodes and 4 shards', () => {
  const sale = new Sale('phone', { stock: 5000, ttl: '20s' });
  afterAll(() => sale.destroy(), 3 * MINUTE);

  test(
    'R1, R33: is ready within two minutes of kubectl apply',
    async () => {
      await sale.apply();
      await sale.becomes('Ready', 'True', 120);
      const { status } = await sale.resource();
      expect(status).toMatchObject({
        phase: 'Selling',
        supplied: 5000,
        observedGeneration: 1,
        storefrontReplicas: 2,
      });
    },
    3 * MINUTE,
  );

  test(
    'R26, R27, R29, R30: sells out to a crowd, to the last unit, and says so',
    async () => {
      const report = await sale.crowd('--buyers', '5750', '--rate', '300', '--abandon', '0.02');
      expect(report).toMatchObject({ sold: 5000, falseSoldOut: 0, audit: GOOD });
      await until('the status to say so', async () => (await sale.resource()).status?.phase === 'SoldOut');
      expect((await sale.resource()).status).toMatchObject({
        sold: 5000,
        available: 0,
        tokensLive: 0,
        inTransfer: 0,
      });
      expect(await sale.audit()).toMatchObject({ ...GOOD, sold: 5000 });
    },
    8 * MINUTE,
  );

  test('kubectl get tells the story in its columns', async () => {
    const [head = '', row = ''] = (await kubectl(['get', 'fs', '-n', sale.namespace])).split('\n');
    expect(head.split(/\s{2,}/).map((name) => name.trim())).toEqual(
      expect.arrayContaining(['NAME', 'PHASE', 'READY', 'STOCK', 'SOLD', 'AVAILABLE', 'LIVE TOKENS', 'AGE']),
    );
    expect(row).toMatch(/^phone\s+SoldOut\s+True\s+5000\s+5000\s+0\s+0\s/);
  });

  test(
    'goes with everything it made when it is deleted, but for volumes and their secret, which are retained',
    async () => {
      await kubectl(['delete', 'fs', sale.name, '-n', sale.namespace, '--timeout=120s']);
      await until('its objects to be gone', async () => {
        const left = await names(
          'all,configmap,networkpolicy,pdb,secret',
          '-n',
          sale.namespace,
          '-l',
          'flashsale.dev/sale=phone',
        );
        return left.join() === 'phone-secrets';
      });
      expect((await names('pvc', '-n', sale.namespace)).length).toBe(3 + 4 + 1);
    },
    4 * MINUTE,
  );

  test(
    'created again it takes its volumes over: what was sold stays sold, and its own supply counts',
    async () => {
      await sale.apply({ stock: 5050 });
      await sale.settles();
      expect((await sale.resource()).status).toMatchObject({ supplied: 5050, sold: 5000 });
      expect(await sale.audit()).toMatchObject({ ...GOOD, sold: 5000, supplied: 5050 });
    },
    4 * MINUTE,
  );
});

describe('R32: while it sells', () => {
  const buyAgain = 'qualification: {perBuyer: 1000, maxQuantity: 1, reservations: {maxLapsed: 1000}}';
  const sale = new Sale('storm', { stock: 20_000, caches: 2, shards: 2, more: buyAgain });
  afterAll(() => sale.destroy(), 3 * MINUTE);

  beforeAll(async () => {
    await sale.apply();
    await sale.settles();
  }, 5 * MINUTE);

  const soldNow = async () => (await calm(sale.resource()))?.status?.sold ?? 0;

  /** Lasts as long as most disturbances do; how many buyers come does not matter, but that they go on coming. */
  const SHORT = { buyers: 150, rate: 15 };
  /** For several disturbances, one after the other. */
  const LONG = { buyers: 300, rate: 5 };

  /** A crowd comes; once the first have bought, something happens; whatever it is, the crowd is served. */
  const disturb = (what: string, how: () => Promise<unknown>, { buyers, rate } = SHORT) =>
    test(
      what,
      async () => {
        const before = await soldNow();
        const crowd = sale.crowd('--buyers', String(buyers), '--rate', String(rate));
        // A crowd that cannot even come says why, before anything waits for its sales.
        await Promise.race([crowd, until('the first sales', async () => (await soldNow()) > before, 2 * MINUTE)]);
        await how();
        const report = await crowd;
        expect(report).toMatchObject({ soldOut: 0, falseSoldOut: 0 });
        // Those who let their token lapse do not buy; everybody else does.
        expect(report.sold - before, JSON.stringify(report)).toBeGreaterThan((buyers * 5) / 6);
        await sale.settles();
        expect(await sale.audit()).toMatchObject(GOOD);
      },
      10 * MINUTE,
    );

  /** Ends when another pod serves in its place. */
  const deletePod = async (kind: string) => {
    const before = await sale.serving(kind);
    const [pod] = before;
    if (!pod) throw new Error(`no pod of ${kind} serves`);
    await kubectl(['delete', 'pod', pod.name, '-n', sale.namespace, '--grace-period=1', '--wait=true']);
    await until(`the next ${kind}`, async () => {
      const now = await sale.serving(kind);
      return now.length === before.length && !now.some(({ uid }) => uid === pod.uid);
    });
  };

  disturb(
    'the leader is killed: another one leads; Kafka is deleted, with all it held',
    async () => {
      const before = await leader();
      await kubectl(['delete', 'pod', before, '-n', SYSTEM, '--grace-period=0', '--force']);
      await until('another leader', async () => {
        const now = await leader();
        return now !== '' && now !== before;
      });
      await until('the label by which the console is found to be on its pod alone', async () => {
        const labelled = await names('pods', '-n', SYSTEM, '-l', 'flashsale.dev/role=leader');
        return labelled.join() === (await leader());
      });
      await kubectl(['delete', 'pod', '-n', SYSTEM, '-l', 'app.kubernetes.io/component=kafka', '--grace-period=1']);
    },
    LONG,
  );
  disturb(
    'a pod of each kind is deleted, one after the other, and then an agent’s container killed',
    async () => {
      for (const kind of ['storefront', 'cache', 'shard', 'pool']) await deletePod(kind);
      const [before] = await sale.serving('cache');
      await kubectl(['exec', before?.name ?? '', '-n', sale.namespace, '-c', 'agent', '--', 'sh', '-c', 'kill 1']);
      await until('the container’s next start', async () => {
        const [now] = await sale.serving('cache');
        return now?.uid === before?.uid && (now?.restarts ?? 0) > (before?.restarts ?? 0);
      });
    },
    LONG,
  );
  disturb(
    'the API server restarts, and then the kubelet',
    async () => {
      await component('stop', 'kube-apiserver');
      await component('start', 'kube-apiserver');
      await until('it to answer', () =>
        kubectl(['get', '--raw', '/readyz']).then(
          () => true,
          () => false,
        ),
      );
      await component('stop', 'kubelet');
      await component('start', 'kubelet');
      await kubectl(['wait', '--for=condition=Ready', 'node', '--all', '--timeout=90s']);
    },
    LONG,
  );
  disturb('its node is drained: of each kind one pod goes, and they come back', async () => {
    const [node = ''] = await names('nodes');
    const mine = `flashsale.dev/sale=${sale.name}`;
    // There is no other node, so the budgets hold the others back until the time is up.
    const drained = kubectl(['drain', node, '--pod-selector', mine, '--delete-emptydir-data', '--timeout=10s']);
    try {
      await expect(drained).rejects.toThrow(/disruption budget/);
    } finally {
      await kubectl(['uncordon', node]);
    }
  });
  disturb('somebody deletes and edits what the operator made: it is repaired, and an event says what', async () => {
    await kubectl(['delete', 'svc', sale.name, '-n', sale.namespace]);
    await kubectl(['scale', 'deployment', `${sale.name}-storefront`, '-n', sale.namespace, '--replicas=1']);
    await until('the repair', async () => {
      const services = await names('svc', '-n', sale.namespace);
      const { spec } = await object('deployment', `${sale.name}-storefront`, '-n', sale.namespace);
      return services.includes(sale.name) && (spec as { replicas?: number }).replicas === 2;
    });
    await sale.isToldOf(/spec\.replicas was 1, wanted 2/);
  });

  disturb(
    'R33: restock, another shard, a cache node more, a cache node less, paused and resumed, one after the other',
    async () => {
      for (const edit of [{ stock: 20_100 }, { shards: 3 }, { caches: 3 }, { caches: 2 }]) {
        await sale.apply(edit);
        await sale.settles();
      }
      await sale.apply({ more: `paused: true\n${buyAgain}` });
      await until('it to be paused', async () => (await sale.resource()).status?.phase === 'Paused');
      await sale.apply({ more: buyAgain });
    },
    LONG,
  );
  disturb(
    'an autoscaler takes the storefronts over and gives them back: their number is its own meanwhile',
    async () => {
      const replicas = async () => {
        const { spec } = await object('deployment', `${sale.name}-storefront`, '-n', sale.namespace);
        return (spec as { replicas?: number }).replicas;
      };
      const numbers = new Set<unknown>();
      const count = async () => numbers.add(await replicas());
      await sale.apply({ scalesTo: 4 });
      await until('the autoscaler', async () => {
        await count();
        return (await names('hpa', '-n', sale.namespace)).length === 1;
      });
      await kubectl(['scale', 'deployment', `${sale.name}-storefront`, '-n', sale.namespace, '--replicas=3']);
      await sale.settles();
      await count();
      expect([...numbers]).toEqual([2, 3]);
      await sale.apply({ scalesTo: undefined });
      await until('the number to be the sale’s again', async () => (await replicas()) === 2);
      await until('the autoscaler to go', async () => (await names('hpa', '-n', sale.namespace)).length === 0);
    },
  );
  disturb(
    'the chart is upgraded: pods are replaced part by part, what sells last at last',
    async () => {
      await install('sales.annotations.rollout=one');
      await sale.rolledOut('one');
      await sale.settles(4 * MINUTE);
      const madeAt = async (part: string) => {
        const { items } = await object<{ items: KubeObject[] }>(
          ...['pods', '-n', sale.namespace, '-l', `app.kubernetes.io/component=${part}`],
        );
        const staying = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
        return staying.map(({ metadata }) => Date.parse(String(metadata.creationTimestamp)));
      };
      const times = [await madeAt('pool'), await madeAt('shard'), await madeAt('cache'), await madeAt('storefront')];
      for (const [i, before] of times.slice(0, -1).entries())
        expect(Math.min(...(times[i + 1] ?? [])), JSON.stringify(times)).toBeGreaterThanOrEqual(Math.max(...before));
    },
    LONG,
  );

  disturb(
    'the chart is uninstalled, its Kafka with it: the sale sells on, and the next operator takes it up',
    async () => {
      await uninstall();
      await install();
      await sale.rolledOut(undefined);
      await sale.settles(4 * MINUTE);
    },
    LONG,
  );

  test('no secret of it is in a log, an event, a status or a process’s arguments', async () => {
    const { data } = await object<{ data: Record<string, string> }>(
      'secret',
      `${sale.name}-secrets`,
      '-n',
      sale.namespace,
    );
    const secrets = Object.entries(data).map(([name, value]) => [name, Buffer.from(value, 'base64').toString().trim()]);
    expect(secrets.length).toBeGreaterThan(5);
    const said = await sale.said();
    // What it sees is what there is: a process of each kind, and logs.
    for (const known of ['redis-server', 'postgres', 'dataplane/storefront/main.ts', '"msg"'])
      expect(said).toContain(known);
    expect(secrets.filter(([, value = '']) => said.includes(value)).map(([name]) => name)).toEqual([]);
  });
});

describe('the last word on the volumes', () => {
  const sale = new Sale('word', { stock: 10, caches: 1, shards: 1, replicas: 1, more: 'deletionPolicy: Delete' });
  afterAll(() => sale.destroy(), 3 * MINUTE);

  test(
    'holds although it was edited and the sale deleted while no operator ran: what was sold is kept, and its passwords',
    async () => {
      await sale.apply();
      await sale.settles();
      const operators = (replicas: number) =>
        kubectl(['scale', 'deployment', 'flashsale-operator', '-n', SYSTEM, `--replicas=${replicas}`]);
      await operators(0);
      const running = () => names('pods', '-n', SYSTEM, '-l', 'flashsale.dev/role');
      await until('no operator to run', async () => (await running()).length === 0);
      await sale.apply({ more: 'deletionPolicy: Retain' });
      await kubectl(['delete', 'fs', sale.name, '-n', sale.namespace, '--wait=false']);
      await operators(2);
      await kubectl(['wait', '--for=delete', `fs/${sale.name}`, '-n', sale.namespace, '--timeout=120s']);
      const { items } = await object<{ items: KubeObject[] }>('pvc,secret', '-n', sale.namespace);
      const staying = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
      expect(staying.map(({ metadata }) => metadata.name).sort()).toEqual([
        'data-word-cache-0',
        'data-word-pool-0',
        'data-word-shard-0',
        'word-secrets',
      ]);
    },
    4 * MINUTE,
  );
});
