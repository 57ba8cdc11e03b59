// The role label follows the role, one write after the other, and nobody waits for it who leads.

import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { KubeError } from '../../../operator/kube/errors.ts';
import { keepRoleLabel, type RoleLabel } from '../../../operator/kube/role-label.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  label?.stop();
  vi.useRealTimers();
});

let label: RoleLabel | undefined;

/** An API server that answers when the test says so. */
function start() {
  const asked: (string | null)[] = [];
  const warned: string[] = [];
  let answer = Promise.withResolvers<never>();
  const client = {
    patch: (_resource: unknown, namespace: string, name: string, patch: unknown) => {
      expect([namespace, name]).toEqual(['system', 'me']);
      asked.push(
        (patch as { metadata: { labels: Record<string, string | null> } }).metadata.labels['flashsale.dev/role'] ??
          null,
      );
      answer = Promise.withResolvers();
      return answer.promise;
    },
  };
  const log = pino({ level: 'warn' }, { write: (line: string) => warned.push(JSON.parse(line).label) });
  const settle = () => vi.advanceTimersByTimeAsync(0);
  let started = false;
  void keepRoleLabel({ client, pod: { namespace: 'system', name: 'me' }, log }).then((kept) => {
    started = true;
    label = kept;
  });
  return {
    asked,
    warned,
    started: () => started,
    works: () => {
      answer.resolve(undefined as never);
      return settle();
    },
    fails: () => {
      answer.reject(new KubeError('PATCH pod: 403 Forbidden', 403, 'Forbidden'));
      return settle();
    },
  };
}
const later = (time: number) => vi.advanceTimersByTimeAsync(time);

test('a start waits until the label that a container before left is off', async () => {
  const { asked, started, works } = start();
  await later(1000);
  expect([asked, started()]).toEqual([[null], false]);
  await works();
  expect(started()).toBe(true);
});

test('a start waits neither for another try nor for a server that does not answer', async () => {
  const refused = start();
  await refused.fails();
  expect(refused.started()).toBe(true);
  label?.stop();
  const silent = start();
  await later(3000);
  expect(silent.started()).toBe(true);
});

test('whoever leads says so at once', async () => {
  const { asked, works } = start();
  await works();
  label?.lead();
  await later(0);
  expect(asked).toEqual([null, 'leader']);
});

test('a label that is still being taken off is put on afterwards, so that it stays', async () => {
  const { asked, works } = start();
  await later(3000);
  label?.lead();
  await later(60_000);
  expect(asked).toEqual([null]);
  await works();
  expect(asked).toEqual([null, 'leader']);
});

test('what fails is said once for the role there is, and tried until it works', async () => {
  const { asked, warned, works, fails } = start();
  for (const _ of [1, 2]) {
    await fails();
    await later(30_000);
  }
  label?.lead();
  await fails();
  for (const _ of [1, 2, 3]) {
    await fails();
    await later(30_000);
  }
  await works();
  expect(asked).toEqual([null, null, null, ...Array(4).fill('leader')]);
  expect(warned).toEqual(['standby', 'leader']);
});

test('a label that somebody changed is put right within half a minute', async () => {
  const { asked, works } = start();
  await works();
  label?.lead();
  await later(0);
  await works();
  await later(30_000);
  expect(asked).toEqual([null, 'leader', 'leader']);
});

test('after it was stopped nothing is written, nor is anything said', async () => {
  const { asked, warned, fails } = start();
  await later(3000);
  label?.stop();
  await fails();
  await later(120_000);
  expect([asked, warned]).toEqual([[null], []]);
});
