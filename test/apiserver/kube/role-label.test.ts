// The role label on a real API server: what a Service selects by it is the pod that leads, whatever was there before and
// whatever happens to the server.

import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { KubeClient } from '../../../operator/kube/client.ts';
import { RESOURCES } from '../../../operator/kube/objects.ts';
import { ROLE_LABEL } from '../../../operator/kube/role.ts';
import { keepRoleLabel, type RoleLabel } from '../../../operator/kube/role-label.ts';
import type { ApiServer } from '../../harness/apiserver.ts';
import { sharedApiServer } from '../../harness/shared-apiserver.ts';
import { until } from '../../harness/until.ts';

let server: ApiServer;
let client: KubeClient;
let namespace: string;
const kept: RoleLabel[] = [];

beforeAll(async () => {
  server = await sharedApiServer();
  client = server.connect();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  namespace = await server.namespace();
});
afterEach(() => {
  for (const label of kept.splice(0)) label.stop();
});

const makePod = (name: string, labels: Record<string, string>) =>
  client.create({
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name, labels } },
    spec: { containers: [{ name: 'operator', image: 'flashsale' }] },
  });
const read = async (name: string) => (await client.get(RESOURCES.Pod, namespace, name))?.metadata;
const leaders = async () => {
  const { items } = await client.list(RESOURCES.Pod, { namespace, labelSelector: 'app=x,flashsale.dev/role=leader' });
  return items.map(({ metadata }) => metadata.name);
};
async function start(name: string): Promise<RoleLabel> {
  const label = await keepRoleLabel({ client, pod: { namespace, name }, log: pino({ level: 'silent' }) });
  kept.push(label);
  return label;
}

test('the label is on the pod that leads and on no other, and other labels stay', async () => {
  for (const name of ['a', 'b']) await makePod(name, { app: 'x' });
  const [a] = [await start('a'), await start('b')];
  expect(await leaders()).toEqual([]);
  a.lead();
  await until('a to be labelled', async () => (await leaders()).length > 0);
  expect(await leaders()).toEqual(['a']);
  expect((await read('a'))?.labels).toEqual({ app: 'x', [ROLE_LABEL]: 'leader' });
});

test('a container that starts again in the pod of a former leader is found by nobody, from the start', async () => {
  await makePod('a', { app: 'x', [ROLE_LABEL]: 'leader' });
  await start('a');
  expect((await read('a'))?.labels).toEqual({ app: 'x' });
});

test('saying again what the label says already writes nothing', async () => {
  await makePod('a', { app: 'x' });
  const before = await read('a');
  await start('a');
  expect(await read('a')).toEqual(before);
});

test('an API server that is away when somebody begins to lead is told when it is back', async () => {
  await makePod('a', { app: 'x' });
  const a = await start('a');
  await server.kill9();
  a.lead();
  await server.restart();
  await until('a to be labelled', async () => (await leaders()).includes('a'));
});

test('a pod that is not there keeps nobody from starting and leading', async () => {
  const label = await start('nobody');
  expect(() => label.lead()).not.toThrow();
});
