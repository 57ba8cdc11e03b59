// That the API server finds the Events by which a StatefulSet controller says what it could not create, and answers them
// in the form in which the operator reads them.

import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Observed } from '../../../operator/reconcile/observed.ts';
import { RefusalReader } from '../../../operator/reconcile/refusals.ts';
import type { ApiServer } from '../../harness/apiserver.ts';
import { sharedApiServer } from '../../harness/shared-apiserver.ts';

let server: ApiServer;
beforeAll(async () => {
  server = await sharedApiServer();
});
afterAll(() => server?.stop());

const REFUSED =
  'pods "phone-cache-0" is forbidden: exceeded quota: small, requested: pods=1, used: pods=0, limited: pods=0';

test('of a namespace’s Events only what its StatefulSets were refused is asked for, and the newest is told', async () => {
  const namespace = await server.namespace();
  /** As the controller writes it: of core/v1. */
  const say = async (
    name: string,
    about: { kind: string; uid: string },
    reason: string,
    message: string,
    at: string,
  ) => {
    const event = {
      ...{ apiVersion: 'v1', kind: 'Event', metadata: { name, namespace } },
      involvedObject: { apiVersion: 'apps/v1', name: 'phone-cache', namespace, ...about },
      ...{ type: 'Warning', reason, message, source: { component: 'statefulset-controller' } },
      ...{ firstTimestamp: '2026-12-01T12:00:00Z', lastTimestamp: at, count: 3 },
    };
    const { status } = await server.ask('POST', `/api/v1/namespaces/${namespace}/events`, event);
    expect(status).toBe(201);
  };
  const failed = (words: string) => `Create Pod phone-cache-0 in StatefulSet phone-cache failed error: ${words}`;
  const set = { kind: 'StatefulSet', uid: 'u1' };
  await say('a', set, 'FailedCreate', failed(REFUSED), '2026-12-01T12:00:20Z');
  await say('b', set, 'FailedCreate', failed('something else'), '2026-12-01T12:00:10Z');
  await say('c', set, 'SuccessfulCreate', 'created', '2026-12-01T12:00:30Z');
  await say('d', { kind: 'ReplicaSet', uid: 'u1' }, 'FailedCreate', failed('a namesake'), '2026-12-01T12:00:30Z');

  const client = server.connect();
  const asked: unknown[] = [];
  const list: typeof client.list = async (resource, selection) => {
    const answer = await client.list(resource, selection);
    asked.push(...answer.items.map(({ metadata }) => metadata.name));
    return answer;
  };
  const cache = { set: 'u1', wanted: 1, ready: 0, rolling: false };
  const observed: Observed = { workloads: { cache }, pods: [] };
  let now = 0;
  const means = { client: { list }, log: pino({ level: 'silent' }), now: () => now, wall: Date.now };
  const reader = new RefusalReader();
  await reader.read(observed, namespace, means);
  now = 5000;
  const { workloads } = await reader.read(observed, namespace, means);
  expect(asked).toEqual(['a', 'b']);
  expect(workloads.cache).toEqual({ ...cache, refused: REFUSED });
});
