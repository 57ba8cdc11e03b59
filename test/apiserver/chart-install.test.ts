// The chart on a real API server, where only restricted pods may run: installed, upgraded and uninstalled by Helm, applied
// without it, and what the operator's account may and may not do afterwards. No pod runs here: that is the whole cluster's
// test.

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiServer, startApiServer } from '../harness/apiserver.ts';
import { CHART, helm } from '../harness/helm.ts';

const PLAIN = join(CHART, '..', 'plain', 'flashsale-operator.yaml');
const RELEASE = 'flashsale-operator';
const NAMESPACE = 'flashsale-system';

let server: ApiServer;

const run = (args: string[], values: unknown) => {
  const { code, out, err } = helm([...args, '--kubeconfig', server.kubeconfig, '--namespace', NAMESPACE], values);
  expect(err + (code === 0 ? '' : out)).not.toMatch(/error|would violate|unknown field/i);
  expect(code).toBe(0);
  return out;
};
const upgrade = (values: unknown, chart = CHART) => run(['upgrade', '--install', RELEASE, chart], values);

async function kubectl(...args: string[]): Promise<string> {
  const { code, out, err } = await server.kubectl(args);
  if (code !== 0) throw new Error(err);
  return out;
}

/** Kind and name of everything that says it belongs to the release. */
async function installed(): Promise<string[]> {
  const kinds =
    'deployments,statefulsets,services,configmaps,serviceaccounts,roles,rolebindings,networkpolicies,poddisruptionbudgets';
  const own = await kubectl('-n', NAMESPACE, 'get', kinds, '-l', `app.kubernetes.io/instance=${RELEASE}`, '-o', 'name');
  const cluster = await kubectl(
    ...['get', 'clusterroles,clusterrolebindings', '-l', `app.kubernetes.io/instance=${RELEASE}`, '-o', 'name'],
  );
  return `${own}${cluster}`
    .split('\n')
    .filter((line) => line !== '')
    .sort();
}

const hasResource = async () => (await server.kubectl(['get', 'crd', 'flashsales.flashsale.dev'])).code === 0;

/** `get secrets -n shop` as the operator's account. `pods#log` is a part of a pod, `leases/x` the lease x. */
async function may(verb: string, what: string, namespace: string): Promise<boolean> {
  const [resource = '', part] = what.split('#');
  const account = `system:serviceaccount:${NAMESPACE}:${RELEASE}`;
  const { out } = await server.kubectl([
    ...['auth', 'can-i', verb, resource, '-n', namespace, '--as', account],
    ...(part === undefined ? [] : [`--subresource=${part}`]),
  ]);
  return out.trim() === 'yes';
}

beforeAll(async () => {
  server = await startApiServer();
  for (const name of [NAMESPACE, 'shop', 'other']) {
    await kubectl('create', 'namespace', name);
    await kubectl('label', 'namespace', name, 'pod-security.kubernetes.io/enforce=restricted');
    // A Deployment whose pods would be refused is only warned about.
    await kubectl('label', 'namespace', name, 'pod-security.kubernetes.io/warn=restricted');
  }
});
afterAll(() => server?.stop());

describe('installed by Helm', () => {
  it('with its defaults: everything is taken, and no pod would be refused', async () => {
    upgrade({});
    expect(await hasResource()).toBe(true);
    expect(await installed()).toContain(`deployment.apps/${RELEASE}`);
  });

  it.each([
    ['patch', 'flashsales.flashsale.dev#status', 'shop', true],
    ['create', 'secrets', 'shop', true],
    ['delete', 'statefulsets.apps', 'shop', true],
    ['create', 'events.events.k8s.io', 'shop', true],
    ['watch', 'pods', 'shop', true],
    ['update', `leases.coordination.k8s.io/${RELEASE}`, NAMESPACE, true],
    ['patch', 'pods', NAMESPACE, true],
    ['create', 'pods#exec', 'shop', false],
    ['create', 'pods', 'shop', false],
    ['delete', 'pods', 'shop', false],
    ['get', 'pods#log', 'shop', false],
    ['delete', 'flashsales.flashsale.dev', 'shop', false],
    ['create', 'flashsales.flashsale.dev', 'shop', false],
    ['delete', 'persistentvolumeclaims', 'shop', false],
    ['create', 'serviceaccounts', 'shop', false],
    ['create', 'serviceaccounts#token', 'shop', false],
    ['create', 'rolebindings.rbac.authorization.k8s.io', 'shop', false],
    ['get', 'nodes', 'shop', false],
    ['list', 'namespaces', 'shop', false],
    ['update', 'leases.coordination.k8s.io/another', NAMESPACE, false],
    ['update', `leases.coordination.k8s.io/${RELEASE}`, 'shop', false],
    ['patch', 'customresourcedefinitions.apiextensions.k8s.io', 'shop', false],
    ['create', 'jobs.batch', 'shop', false],
  ])('the operator may %s %s in %s: %s', async (verb, resource, namespace, is) => {
    expect(await may(verb, resource, namespace)).toBe(is);
  });

  it('whoever may edit a namespace may run sales in it, and whoever may view it may look', async () => {
    await kubectl('create', 'rolebinding', 'ed', '--clusterrole=flashsale-operator-edit', '--user=ed', '-n', 'shop');
    await kubectl('create', 'rolebinding', 'vi', '--clusterrole=flashsale-operator-view', '--user=vi', '-n', 'shop');
    const can = async (user: string, verb: string) =>
      (
        await server.kubectl(['auth', 'can-i', verb, 'flashsales.flashsale.dev', '-n', 'shop', '--as', user])
      ).out.trim();
    expect(await Promise.all([can('ed', 'create'), can('vi', 'create'), can('vi', 'list')])).toEqual([
      'yes',
      'no',
      'yes',
    ]);
  });

  it('upgraded with a Kafka, a console and fewer rights: what is new comes, what is not wanted goes', async () => {
    upgrade({
      watchNamespaces: ['shop'],
      kafka: { enabled: true, storage: { size: '1Gi' } },
      console: { enabled: true, auth: { kind: 'none' } },
      dashboards: { enabled: true },
    });
    const objects = await installed();
    expect(objects).toContain(`statefulset.apps/${RELEASE}-kafka`);
    expect(objects).toContain(`configmap/${RELEASE}-dashboard-sale`);
    expect(objects.filter((name) => name.startsWith('clusterrole'))).toEqual([]);
    expect(await may('create', 'secrets', 'shop')).toBe(true);
    expect(await may('get', 'secrets', 'other')).toBe(false);
    expect(await may('update', `leases.coordination.k8s.io/${RELEASE}`, NAMESPACE)).toBe(true);
    expect(objects).toContain(`service/${RELEASE}-console`);
    expect(await may('patch', 'pods', NAMESPACE)).toBe(true);
    expect(await may('get', 'pods', NAMESPACE)).toBe(false);
    expect(await may('patch', 'pods', 'other')).toBe(false);
  });

  it('a newer FlashSale resource comes with an upgrade, and an older one when going back', async () => {
    const columns = () =>
      kubectl(
        ...['get', 'crd', 'flashsales.flashsale.dev'],
        ...['-o', 'jsonpath={.spec.versions[0].additionalPrinterColumns[*].name}'],
      );
    const older = mkdtempSync(join(tmpdir(), 'flashsale-chart-'));
    try {
      cpSync(CHART, older, { recursive: true });
      const file = join(older, 'files', 'flashsale.yaml');
      writeFileSync(file, readFileSync(file, 'utf8').replace(/^ +- \{name: SKU,.*\n/m, ''));
      upgrade({}, older);
      expect(await columns()).not.toContain('SKU');
      upgrade({});
      expect(await columns()).toContain('SKU');
      upgrade({}, older);
      expect(await columns()).not.toContain('SKU');
      upgrade({});
    } finally {
      rmSync(older, { recursive: true, force: true });
    }
  });

  it('uninstalled: everything goes but the FlashSale resource, and with it every sale', async () => {
    const sale = readFileSync(join(CHART, '..', '..', 'docs', 'examples', 'minimal.yaml'), 'utf8');
    expect(await server.kubectl(['apply', '-n', 'shop', '-f', '-'], sale)).toMatchObject({ code: 0 });
    run(['uninstall', RELEASE], undefined);
    expect(await installed()).toEqual([]);
    expect(await hasResource()).toBe(true);
    expect(await kubectl('-n', 'shop', 'get', 'flashsales', '-o', 'name')).not.toBe('');
  });

  it('installed again over the resource that was kept', async () => {
    upgrade({});
    run(['uninstall', RELEASE], undefined);
  });
});

describe('applied without Helm', () => {
  it('everything is taken, and no pod would be refused', async () => {
    const { code, err } = await server.kubectl(['apply', '--server-side', '--force-conflicts', '-f', PLAIN]);
    expect(err).not.toMatch(/would violate|unknown field/i);
    expect(code).toBe(0);
    expect(await may('create', 'secrets', 'other')).toBe(true);
  });

  it('applying it again changes nothing', async () => {
    const generation = () =>
      kubectl('-n', NAMESPACE, 'get', 'deployment', RELEASE, '-o', 'jsonpath={.metadata.generation}');
    const before = await generation();
    await kubectl('apply', '--server-side', '-f', PLAIN);
    expect(await generation()).toBe(before);
  });
});
