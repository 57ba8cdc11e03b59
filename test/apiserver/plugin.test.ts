// The kubectl plugin on a real API server: what it shows, what it changes, and what it says when something is in the
// way. No operator runs; the test writes what one would.

import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { FlashSale, FlashSaleStatus } from '../../operator/api/flashsale.gen.ts';
import type { KubeClient } from '../../operator/kube/client.ts';
import { type KubeObject, RESOURCES } from '../../operator/kube/objects.ts';
import { type ApiServer, startApiServer } from '../harness/apiserver.ts';
import { flashsale, kubectlFlashsale, type Outcome } from '../harness/command.ts';
import { runSale } from '../harness/run-sale.ts';
import { stopSharedKafka } from '../harness/sale.ts';
import { until } from '../harness/until.ts';

const ROOT = join(import.meta.dirname, '..', '..');
let server: ApiServer;
let client: KubeClient;
let namespace: string;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'flashsale-plugin-'));
  server = await startApiServer();
  client = server.connect();
});
afterAll(async () => {
  await server?.stop();
  await stopSharedKafka();
  rmSync(folder, { recursive: true, force: true });
});

const run = (args: string[], input?: string): Promise<Outcome> => kubectlFlashsale(server.kubeconfig, args, input);
/** In the test's namespace. */
const here = (args: string[], input?: string) => run(['-n', namespace, ...args], input);
const json = async (args: string[], input?: string) => JSON.parse((await here([...args, '-o', 'json'], input)).stdout);

const SPEC = {
  sku: 'PHONE',
  stock: 1000,
  cache: { nodes: 2 },
  shards: { count: 2 },
  auth: { trustedHeader: { name: 'X-Buyer-Id', insecure: true } },
};
const yaml = (name: string, spec: object = {}, metadata: object = {}) =>
  stringify({
    apiVersion: 'flashsale.dev/v1alpha1',
    kind: 'FlashSale',
    metadata: { name, ...metadata },
    spec: { ...SPEC, ...spec },
  });
const apply = async (text: string, ...args: string[]) => {
  const { code, err } = await server.kubectl(['-n', namespace, 'apply', ...args, '-f', '-'], text);
  expect(err.replace(/^Warning:.*\n/gm, '')).toBe('');
  expect(code).toBe(0);
};
const live = async (name: string) =>
  (await client.get(RESOURCES.FlashSale, namespace, name)) as unknown as FlashSale & KubeObject;
const setStatus = async (name: string, status: FlashSaleStatus) => {
  const { metadata } = await live(name);
  await client.applyStatus({
    apiVersion: 'flashsale.dev/v1alpha1',
    kind: 'FlashSale',
    metadata: { name, namespace },
    status: { observedGeneration: metadata.generation, ...status },
  });
};
const SELLING: FlashSaleStatus = {
  phase: 'Selling',
  supplied: 1000,
  sold: 250,
  available: 750,
  conditions: [
    {
      type: 'Ready',
      status: 'True',
      reason: 'Selling',
      message: 'Buyers are served',
      lastTransitionTime: '2026-12-01T12:00:00Z',
    },
  ],
};

test('without the FlashSale resource every command says how to install it', async () => {
  for (const args of [['status'], ['status', 'phone'], ['top'], ['pause', 'phone'], ['audit'], ['plan', '-f', '-']])
    expect(await run(args, yaml('phone')), args.join(' ')).toEqual({
      code: 1,
      stdout: '',
      stderr: [
        expect.stringMatching(
          /^kubectl flashsale: this cluster has no FlashSale resource; install the operator first: helm install /,
        ),
      ],
    });
});

describe('with the resource', () => {
  beforeAll(async () => {
    const { code, err } = await server.kubectl(['apply', '--server-side', '-f', join(ROOT, 'crds/flashsale.yaml')]);
    expect(err).toBe('');
    expect(code).toBe(0);
    await server.kubectl(['wait', '--for=condition=Established', 'crd/flashsales.flashsale.dev', '--timeout=60s']);
    await until('the resource to be served', async () =>
      (await run(['status', '-A'])).stderr[0]?.includes('no sale in'),
    );
  });
  beforeEach(async () => {
    namespace = await server.namespace();
  });

  describe('status', () => {
    test('of a sale shows what the operator wrote, and its pods', async () => {
      await apply(yaml('phone'));
      expect((await here(['status', 'phone'])).stdout).toContain(
        `${namespace}/phone  Pending\nwaiting for the operator to look at the newest edit`,
      );
      await setStatus('phone', SELLING);
      await client.create({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          name: 'phone-shard-0',
          namespace,
          labels: { 'flashsale.dev/sale': 'phone', 'app.kubernetes.io/component': 'shard' },
        },
        spec: { containers: [{ name: 'postgres', image: 'postgres' }] },
      });
      const { code, stdout } = await here(['status', 'phone']);
      expect(code).toBe(0);
      expect(stdout).toContain(`${namespace}/phone  Selling\n\nCONDITION`);
      expect(stdout).toMatch(/^Ready +True +Selling +.* Buyers are served$/m);
      expect(stdout).toMatch(/^phone-shard-0 +Pending +– +0 +–$/m);
      // The only one needs no name; another namespace may stand before it.
      expect((await here(['status'])).stdout.split('\n')[0]).toBe(stdout.split('\n')[0]);
      expect((await run(['status', `${namespace}/phone`])).stdout.split('\n')[0]).toBe(stdout.split('\n')[0]);
      expect(await json(['status', 'phone'])).toMatchObject({
        namespace,
        name: 'phone',
        spec: { stock: 1000, token: { ttl: '120s' } },
        status: { phase: 'Selling', sold: 250 },
        pods: [{ name: 'phone-shard-0', component: 'shard', ready: false, state: 'Pending' }],
      });
    });

    test('of several shows a line for each', async () => {
      await apply(yaml('phone-2'));
      await apply(yaml('phone-10'));
      await setStatus('phone-2', SELLING);
      const { stdout } = await here(['status']);
      expect(stdout.split('\n').map((line) => line.split(/ +/).slice(0, 3))).toEqual([
        ['SALE', 'PHASE', 'READY'],
        ['phone-2', 'Selling', 'True'],
        ['phone-10', 'Pending', 'Unknown'],
        [''],
      ]);
      expect((await run(['status', '-A'])).stdout).toMatch(new RegExp(`^${namespace}/phone-2 +Selling +True `, 'm'));
      expect((await json(['status'])).sales).toMatchObject([{ name: 'phone-2' }, { name: 'phone-10' }]);
    });
  });

  test('top without a terminal measures once, from two readings', async () => {
    await apply(yaml('phone'));
    await setStatus('phone', SELLING);
    const { code, stdout } = await here(['top', '--interval', '1']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^phone +Selling +0 +250 +1,000 +25 +750 /m);
    expect((await json(['top', 'phone', '--interval', '1'])).sales).toMatchObject([
      { name: 'phone', soldPerSecond: 0 },
    ]);
  });

  test('top on a terminal goes on until Ctrl-C, and gives the screen back', async () => {
    await apply(yaml('phone'));
    await setStatus('phone', SELLING);
    const main = join(ROOT, 'operator', 'plugin', 'main.ts');
    // `exec`: a shell between the terminal and it would end by the Ctrl-C itself.
    const command = `exec ${process.execPath} ${main} top -n ${namespace} --interval 1 --kubeconfig ${server.kubeconfig}`;
    // A terminal of its own.
    const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null']);
    let screen = '';
    child.stdout.on('data', (text) => {
      screen += text;
    });
    const ended = new Promise((resolve) => child.once('close', resolve));
    await until('the sale on the screen', async () => /phone +Selling/.test(screen));
    await setStatus('phone', { ...SELLING, sold: 800 });
    await until('its news', async () => /phone +Selling +[1-9]\d* +800 /.test(screen));
    child.stdin.write('\u0003');
    expect(await ended).toBe(0);
    expect(screen.startsWith('\u001b[?1049h')).toBe(true);
    expect(screen.trimEnd().endsWith('\u001b[?1049l')).toBe(true);
  });

  describe('plan', () => {
    const plan = async (text: string, ...args: string[]) => {
      const before = (await client.get(RESOURCES.FlashSale, namespace, 'phone'))?.metadata.resourceVersion;
      const { code, stdout, stderr } = await here(['plan', '-f', '-', '-o', 'json', ...args], text);
      expect(stderr).toEqual([]);
      expect((await client.get(RESOURCES.FlashSale, namespace, 'phone'))?.metadata.resourceVersion).toBe(before);
      return { code, ...JSON.parse(stdout) };
    };
    /** As a plan tells them, and as they then are. */
    const fields = (changes: { field: string; from?: unknown; to?: unknown }[]) =>
      changes.map(({ field, from, to }) => [field, from, to]);

    test('a new sale is told as such', async () => {
      expect(await plan(yaml('phone'))).toEqual({
        code: 0,
        sale: `${namespace}/phone`,
        new: true,
        accepted: true,
        complaints: [],
        parts: { caches: 2, shards: 2, storefronts: 2, kafka: 'own', insecure: true },
        changes: [],
      });
    });

    test('R33: of a sale that kubectl applied: what the file says anew, what it no longer says, what others set', async () => {
      await apply(yaml('phone', { orders: { paymentDeadline: '15m' }, token: { ttl: '60s' } }));
      await setStatus('phone', SELLING);
      const { code } = await server.kubectl(['-n', namespace, 'scale', 'fs/phone', '--replicas=7']);
      expect(code).toBe(0);
      const edited = yaml('phone', { stock: 5000, token: { ttl: '60s' } });
      const planned = await plan(edited);
      expect(planned).toMatchObject({ code: 0, new: false, accepted: true });
      expect(fields(planned.changes)).toEqual([
        ['spec.orders.paymentDeadline', '15m', undefined],
        ['spec.stock', 1000, 5000],
      ]);
      await apply(edited);
      const { spec } = await live('phone');
      expect(spec).toMatchObject({ stock: 5000, storefront: { replicas: 7 }, orders: {} });
      expect(spec.orders.paymentDeadline).toBeUndefined();
      expect(fields((await plan(edited)).changes)).toEqual([]);
    });

    test('R33: of a sale that a GitOps tool applied', async () => {
      const flux = ['--server-side', '--field-manager=kustomize-controller'];
      await apply(yaml('phone', { paused: true }), ...flux);
      const edited = yaml('phone', { shards: { count: 4 } });
      expect(fields((await plan(edited)).changes)).toEqual([
        ['spec.paused', true, false],
        ['spec.shards.count', 2, 4],
      ]);
      await apply(edited, ...flux);
      expect(await live('phone')).toMatchObject({ spec: { paused: false, shards: { count: 4 } } });
    });

    test('fields that somebody else has set are complained of, and what taking them over would change is said', async () => {
      await apply(yaml('phone'), '--server-side', '--field-manager=kustomize-controller');
      await server.kubectl(['-n', namespace, 'patch', 'fs/phone', '--type=merge', '-p', '{"spec":{"stock":7}}']);
      const { code, accepted, complaints, changes } = await plan(yaml('phone', { stock: 2000 }));
      expect({ code, accepted }).toEqual({ code: 1, accepted: false });
      expect(complaints).toEqual([
        { field: 'spec.stock', message: expect.stringMatching(/^is set by kubectl-patch, and stays so unless/) },
      ]);
      expect(fields(changes)).toEqual([['spec.stock', 7, 2000]]);
    });

    test.each<[string, object, object[]]>([
      [
        'a limit',
        { stock: -5 },
        [{ field: 'spec.stock', message: expect.stringContaining('greater than or equal to 0') }],
      ],
      [
        'a rule',
        { token: { ttl: '1d' } },
        [{ field: 'spec.token.ttl', message: expect.stringContaining('must be a duration') }],
      ],
      [
        'a rule about changes',
        { shards: { count: 1 } },
        [
          {
            field: 'spec.shards.count',
            line: expect.any(Number),
            message: expect.stringContaining('cannot shrink, for shards hold orders'),
          },
        ],
      ],
      ['the fields there are', { stok: 5 }, [{ field: 'spec.stok', message: 'unknown field' }]],
      [
        'a type',
        { stock: 'many' },
        [{ field: 'spec.stock', message: expect.stringContaining('must be of type integer') }],
      ],
    ])('an edit against %s is refused in the API server’s words', async (_, spec, complaints) => {
      await apply(yaml('phone'));
      const refused = await plan(yaml('phone', spec));
      expect(refused).toMatchObject({ code: 1, accepted: false, changes: [] });
      expect(refused.complaints).toEqual(complaints.map((complaint) => expect.objectContaining(complaint)));
    });

    test('reads well to a person', async () => {
      await apply(yaml('phone'));
      await setStatus('phone', SELLING);
      expect((await here(['plan', '-f', '-'], yaml('phone', { stock: 1500 }))).stdout).toBe(
        `${namespace}/phone  Selling, 250 of 1,000 units sold

spec.stock:  1000 → 1500  restocks 500 units, split over 2 cache nodes, allocated to the shards
INSECURE: whoever reaches a storefront can buy as anybody (spec.auth.trustedHeader.insecure is true)

The API server accepts it. To make it so: kubectl apply -f -
`,
      );
      const { code, stdout } = await here(['plan', '-f', '-'], yaml('phone', { shards: { count: 1 }, paused: 'no' }));
      expect(code).toBe(1);
      expect(stdout).toContain('The API server refuses it:\n  -:');
    });

    test('several sales of one text are planned one after the other', async () => {
      await apply(yaml('phone'));
      const text = ['kind: Namespace', yaml('phone', { stock: 2000 }), yaml('boots', { stock: -1 })].join('\n---\n');
      const { plans, code } = await plan(text);
      expect(code).toBe(1);
      expect(plans).toMatchObject([
        { sale: `${namespace}/phone`, accepted: true, changes: [{ field: 'spec.stock' }] },
        { sale: `${namespace}/boots`, accepted: false, new: true, complaints: [{ field: 'spec.stock' }] },
      ]);
    });

    test('a namespace that does not exist is complained of', async () => {
      const { code, stdout } = await run(['plan', '-n', 'nowhere', '-f', '-'], yaml('phone'));
      expect(code).toBe(1);
      expect(stdout).toContain('metadata.namespace: namespaces "nowhere" not found');
    });

    test.each<[string, string, RegExp]>([
      ['is no YAML', '{', /^kubectl flashsale: -:1: is not valid YAML/],
      ['has no sale', 'kind: Service', /^kubectl flashsale: -:1: has no FlashSale, only Service/],
      ['is of another version', yaml('phone').replace('v1alpha1', 'v9'), /apiVersion: must be flashsale.dev\/v1alpha1/],
      [
        'is of another namespace',
        yaml('phone', {}, { namespace: 'other' }),
        /the file is of namespace other, not test-/,
      ],
    ])('a file that %s is refused before anybody is asked', async (_, text, line) => {
      const { code, stderr } = await here(['plan', '-f', '-'], text);
      expect(code).toBe(1);
      expect(stderr[0]).toMatch(line);
    });
  });

  describe('pause and resume', () => {
    test('R33: stop purchases and let them go on, whoever applied the sale', async () => {
      const text = yaml('phone');
      await apply(text);
      expect(await here(['pause', 'phone'])).toEqual({
        code: 0,
        stdout: `${namespace}/phone is paused: purchases stop at once; tokens already handed out can still be checked out\n`,
        stderr: [],
      });
      expect((await live('phone')).spec.paused).toBe(true);
      expect((await here(['pause'])).stdout).toBe(`${namespace}/phone is paused already\n`);
      expect(await json(['resume', 'phone'])).toEqual({ sale: `${namespace}/phone`, paused: false, changed: true });
      expect((await live('phone')).spec.paused).toBe(false);
      expect((await here(['resume', 'phone'])).stdout).toBe(`${namespace}/phone is not paused\n`);
      // Nothing stands in the way of the next edit.
      await apply(text);
    });

    test('a sale that comes from Git says that it may be undone there', async () => {
      await apply(yaml('phone'), '--server-side', '--field-manager=kustomize-controller');
      const { code, stderr } = await here(['pause', 'phone']);
      expect(code).toBe(0);
      expect(stderr).toEqual([
        'Flux sets this sale from its source; change spec.paused there, too, or this may be undone',
      ]);
    });
  });

  describe('what is in the way is said in one line:', () => {
    const line = async (outcome: Promise<Outcome>) => {
      const { code, stdout, stderr } = await outcome;
      expect({ code, stdout, lines: stderr.length }).toEqual({ code: 1, stdout: '', lines: 1 });
      return stderr[0]?.replace('kubectl flashsale: ', '');
    };
    /** Somebody who may do only what `role` may, in the test's namespace. */
    const somebody = async (...role: string[]) => {
      const inside = ['-n', namespace];
      await server.kubectl([...inside, 'create', 'serviceaccount', 'ada']);
      if (role.length > 0) {
        await server.kubectl([...inside, 'create', 'role', 'ada', ...role]);
        const subject = `--serviceaccount=${namespace}:ada`;
        await server.kubectl([...inside, 'create', 'rolebinding', 'ada', '--role=ada', subject]);
      }
      const { out } = await server.kubectl([...inside, 'create', 'token', 'ada']);
      return as(out.trim());
    };
    const as = (token: string) => {
      const config = server.config();
      config.users = [{ name: 'admin', token }];
      const file = join(folder, `kubeconfig-${Math.random()}`);
      writeFileSync(file, config.exportConfig());
      return file;
    };

    test('no sale', async () => {
      expect(await line(here(['status']))).toBe(`there is no sale in namespace ${namespace}; see -n and -A`);
      expect(await line(here(['pause']))).toBe(`there is no sale in namespace ${namespace}; choose another with -n`);
      expect(await line(here(['status', 'x']))).toBe(
        `there is no sale ${namespace}/x; namespace ${namespace} has none`,
      );
    });

    test('no such sale, with what may have been meant', async () => {
      await apply(yaml('phone-launch'));
      await apply(yaml('boots'));
      expect(await line(here(['status', 'phone-lunch']))).toBe(
        `there is no sale ${namespace}/phone-lunch; did you mean phone-launch?`,
      );
      expect(await line(here(['audit', 'x']))).toBe(`there is no sale ${namespace}/x; there is boots, phone-launch`);
      const other = await server.namespace();
      expect(await line(run(['-n', other, 'top', 'boots']))).toBe(
        `there is no sale ${other}/boots; there is ${namespace}/boots`,
      );
      expect(await line(run(['status', 'a/b/c']))).toBe('a/b/c is no name of a sale; write NAME or NAMESPACE/NAME');
    });

    test('several sales', async () => {
      await apply(yaml('phone'));
      await apply(yaml('boots'));
      for (const command of ['pause', 'resume', 'audit'])
        expect(await line(here([command]))).toBe('say which sale you mean: boots, phone');
    });

    test('rights that somebody lacks', async () => {
      await apply(yaml('phone'));
      const nobody = await somebody();
      const ada = `system:serviceaccount:${namespace}:ada`;
      const ask = 'ask whoever runs the cluster, or choose another --context or --namespace';
      const asNobody = (...args: string[]) => line(kubectlFlashsale(nobody, ['-n', namespace, ...args]));
      expect(await asNobody('status')).toBe(`${ada} may not list flashsales in namespace ${namespace}; ${ask}`);
      expect(await asNobody('pause', 'phone')).toBe(`${ada} may not get flashsales in namespace ${namespace}; ${ask}`);
      expect(await asNobody('status', '-A')).toBe(`${ada} may not list flashsales in all namespaces; ${ask}`);
    });

    test('pods that somebody may not see are left out of the status', async () => {
      await apply(yaml('phone'));
      const viewer = await somebody('--verb=get,list', '--resource=flashsales.flashsale.dev');
      const asViewer = (...args: string[]) => kubectlFlashsale(viewer, ['-n', namespace, ...args]);
      const { code, stdout } = await asViewer('status');
      expect(code).toBe(0);
      expect(stdout).toContain('its pods may not be seen by you');
      expect(await line(asViewer('pause', 'phone'))).toContain(' may not patch flashsales in namespace ');
      expect(await line(asViewer('audit', 'phone'))).toBe(
        'you may not look for the operator in all namespaces; name its own with --operator-namespace',
      );
    });

    test('nobody who is known', async () => {
      expect(await line(kubectlFlashsale(as('wrong'), ['status']))).toBe(
        `the cluster at ${server.url} does not know you; log in again, or choose another --context`,
      );
    });

    test('a certificate that is not trusted', async () => {
      const config = server.config();
      config.clusters = config.clusters.map(({ caData: _, ...cluster }) => cluster);
      const file = join(folder, 'kubeconfig-untrusting');
      writeFileSync(file, config.exportConfig());
      expect(await line(kubectlFlashsale(file, ['status']))).toMatch(
        /^the cluster at https:\S+ shows a certificate that the kubeconfig does not trust: /,
      );
    });

    test('no cluster', async () => {
      const config = server.config('https://127.0.0.1:1');
      const file = join(folder, 'kubeconfig-nowhere');
      writeFileSync(file, config.exportConfig());
      expect(await line(kubectlFlashsale(file, ['status']))).toBe(
        'the cluster at https://127.0.0.1:1 cannot be reached: ECONNREFUSED',
      );
      expect(await line(kubectlFlashsale('/nowhere', ['top']))).toBe(
        'there is no kubeconfig: KUBECONFIG names /nowhere, which does not exist',
      );
    });

    test('a command line that is not understood exits with 2', async () => {
      for (const args of [['sell'], ['plan'], ['status', '-o', 'xml'], ['top', '--interval', 'often']]) {
        const { code, stderr } = await run(args);
        expect({ code, lines: stderr.length }, args.join(' ')).toEqual({ code: 2, lines: 1 });
      }
    });
  });

  test('kubectl finds the plugin on the PATH, with its own options behind the command', async () => {
    await apply(yaml('phone'));
    const env = { ...process.env, PATH: `${join(ROOT, 'hack')}:${process.env.PATH}` };
    const kubectl = join(process.env.FLASHSALE_KUBE_BIN ?? '', 'kubectl');
    const args = ['flashsale', 'status', 'phone', '-n', namespace, '--kubeconfig', server.kubeconfig];
    expect(execFileSync(kubectl, args, { env, encoding: 'utf8' })).toContain(`${namespace}/phone  Pending`);
  });

  describe('audit', () => {
    const operatorPod = async (ready: boolean) => {
      await client.create({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          name: 'operator',
          namespace,
          labels: { 'app.kubernetes.io/name': 'flashsale-operator', 'app.kubernetes.io/component': 'operator' },
        },
        spec: { containers: [{ name: 'operator', image: 'flashsale' }] },
      });
      const status = JSON.stringify({ status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] } });
      await server.kubectl(['-n', namespace, 'patch', 'pod/operator', '--subresource=status', '-p', status]);
    };
    const audit = (...args: string[]) => here(['audit', 'phone', '--operator-namespace', namespace, ...args]);

    test.each<[string, boolean | undefined, RegExp]>([
      ['there is none', undefined, /there is no operator in namespace test-\d+; this command runs in one of its pods/],
      ['it is not ready', false, /no operator pod in namespace test-\d+ is ready: operator$/],
      ['it cannot be reached', true, /pod test-\d+\/operator cannot be reached: \w/],
    ])('needs the operator’s pod: %s', async (_, ready, line) => {
      await apply(yaml('phone'));
      if (ready !== undefined) await operatorPod(ready);
      const { code, stderr } = await audit();
      expect({ code, lines: stderr.length }).toEqual({ code: 1, lines: 1 });
      expect(stderr[0]).toMatch(line);
    });

    const inside = (...args: string[]) =>
      flashsale(folder, ['audit', '--cluster', `${namespace}/phone`, ...args], { KUBECONFIG: server.kubeconfig });

    test('within the cluster waits for no sale that was never started', async () => {
      await apply(yaml('phone'));
      const name = `${namespace}/phone`;
      expect(await inside()).toEqual({
        code: 1,
        stdout: '',
        stderr: [`flashsale: ${name} was not started yet; kubectl flashsale status ${name} says why`],
      });
    });

    test('within the cluster reads the stores by what the sale’s ConfigMap and Secret say', { timeout: 180_000 }, () =>
      runSale({ stock: 100 }, async (sale) => {
        await apply(yaml('phone'));
        const secrets = readdirSync(sale.secrets).map((name) => [
          name,
          readFileSync(join(sale.secrets, name), 'base64'),
        ]);
        const metadata = (name: string) => ({ name, namespace });
        await client.create({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: metadata('phone-config'),
          data: { 'sale.json': JSON.stringify(sale.config) },
        });
        await client.create({
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: metadata('phone-secrets'),
          data: Object.fromEntries(secrets),
        });
        const { code, stdout, stderr } = await inside('-o', 'json');
        expect({ code, stderr }).toEqual({ code: 0, stderr: [] });
        expect(JSON.parse(stdout)).toMatchObject({ conserved: true, supplied: 100, sold: 0, missing: 0, findings: [] });
        expect((await inside()).stdout).toContain('100 supplied = ');
      }),
    );
  });
});
