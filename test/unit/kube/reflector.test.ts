// The reflector against a server that forgets, fails, falls silent and cuts watches off as it likes: its copy ends as
// the server is, and what it said adds up to that. (The same on a real API server: test/apiserver/kube/reflector.test.ts.)

import fc from 'fast-check';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { KubeClient, WatchOptions } from '../../../operator/kube/client.ts';
import { KubeError } from '../../../operator/kube/errors.ts';
import { type KubeObject, RESOURCES } from '../../../operator/kube/objects.ts';
import { afterWatch } from '../../../operator/kube/reflection.ts';
import { startReflector } from '../../../operator/kube/reflector.ts';
import type { WatchEvent } from '../../../operator/kube/watch-lines.ts';

const log = pino({ level: 'silent' });
beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** What may go wrong with the next list or watch. */
type Trouble = 'none' | 'refused' | 'cut' | 'gone' | 'silent' | 'short' | 'throttled';

class Server implements Pick<KubeClient, 'list' | 'watch'> {
  readonly objects = new Map<string, KubeObject>();
  readonly troubles: Trouble[] = [];
  #history: WatchEvent[] = [];
  #version = 0;
  #lives = 0;
  #wake: () => void = () => undefined;
  lists = 0;

  put(name: string): void {
    const before = this.objects.get(name);
    const version = String(++this.#version);
    const uid = before?.metadata.uid ?? `${name}${version}`;
    const object = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: 'x', uid, resourceVersion: version },
    };
    this.objects.set(name, object);
    this.#history.push({ type: before ? 'MODIFIED' : 'ADDED', object, resourceVersion: version });
    this.#wake();
  }

  remove(name: string): void {
    const object = this.objects.get(name);
    if (!object || !this.objects.delete(name)) return;
    const version = String(++this.#version);
    const last = { ...object, metadata: { ...object.metadata, resourceVersion: version } };
    this.#history.push({ type: 'DELETED', object: last, resourceVersion: version });
    this.#wake();
  }

  forget(): void {
    this.#history = [];
  }

  /** Every watch is cut, and the next few calls find nobody. */
  die(): void {
    this.#lives++;
    this.troubles.push('refused', 'refused');
    this.#wake();
  }

  async list() {
    const trouble = this.troubles.shift() ?? 'none';
    if (trouble === 'refused' || trouble === 'cut') throw new KubeError('list', 0, 'Unreachable');
    if (trouble === 'throttled') throw new KubeError('list', 429, '', { retryAfter: 50 });
    this.lists++;
    return { items: [...this.objects.values()], resourceVersion: String(this.#version) };
  }

  async *watch(_: unknown, { resourceVersion, signal, length }: WatchOptions): AsyncIterable<WatchEvent> {
    const end = Date.now() + (length ?? 0);
    const trouble = this.troubles.shift() ?? 'none';
    if (trouble === 'refused') throw new KubeError('watch', 0, 'Unreachable');
    if (trouble === 'throttled') throw new KubeError('watch', 429, '', { retryAfter: 50 });
    if (trouble === 'silent') {
      await new Promise((resolve) => setTimeout(resolve, 30));
      throw new KubeError('watch', 0, 'Idle');
    }
    let at = Number(resourceVersion);
    const life = this.#lives;
    for (let sent = 0; ; sent++) {
      if (signal.aborted || Date.now() >= end || trouble === 'short') return;
      const first = this.#history[0];
      const forgotten = first ? Number(first.resourceVersion) > at + 1 : this.#version > at;
      if (forgotten || trouble === 'gone') throw new KubeError('watch', 410, 'Expired');
      if (life !== this.#lives || (trouble === 'cut' && sent > 1)) throw new KubeError('watch', 0, 'Disconnected');
      const next = this.#history.find((event) => Number(event.resourceVersion) > at);
      if (next) yield next;
      else {
        yield { type: 'BOOKMARK', resourceVersion: String(this.#version) };
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
          signal.addEventListener('abort', () => resolve(), { once: true });
          setTimeout(resolve, end - Date.now());
        });
      }
      if (next) at = Number(next.resourceVersion);
    }
  }
}

function reflect(server: Server, relist = 1e9) {
  const heard = new Map<string, KubeObject>();
  /** What did not fit what was heard before. Kept, for a listener's errors are nobody's. */
  const misfits: string[] = [];
  const versionOf = (object: KubeObject | undefined) => Number(object?.metadata.resourceVersion ?? 0);
  const reflector = startReflector({
    client: server,
    resource: RESOURCES.ConfigMap,
    log,
    timing: { first: 10, longest: 100, relist, watch: 1000 },
    changed: (object, what) => {
      const { name } = object.metadata;
      const before = heard.get(name);
      const isNews = what === 'deleted' || versionOf(object) > versionOf(before);
      if ((what === 'added') !== (before === undefined) || !isNews) misfits.push(`${what} ${name}`);
      if (what === 'deleted') heard.delete(name);
      else heard.set(name, object);
    },
  });
  return { reflector, heard, misfits };
}

test('whatever fails in between, nothing is missed, deletions neither', async () => {
  const name = fc.constantFrom('a', 'b', 'c');
  const trouble = fc.constantFrom<Trouble>('none', 'refused', 'cut', 'gone', 'silent', 'short', 'throttled');
  const step = fc.oneof(
    name.map((n) => (server: Server) => server.put(n)),
    name.map((n) => (server: Server) => server.remove(n)),
    fc.constant((server: Server) => server.forget()),
    fc.constant((server: Server) => server.die()),
    trouble.map((t) => (server: Server) => {
      server.troubles.push(t);
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(step, fc.nat(200)), { maxLength: 40 }), async (steps) => {
      const server = new Server();
      const { reflector, heard, misfits } = reflect(server);
      for (const [act, pause] of steps) {
        act(server);
        await vi.advanceTimersByTimeAsync(pause);
      }
      // Long enough for every trouble and every wait.
      await vi.advanceTimersByTimeAsync(20_000);
      server.put('last');
      await vi.advanceTimersByTimeAsync(20_000);
      const there = [...server.objects.values()].sort(byName);
      expect(reflector.list().sort(byName)).toEqual(there);
      expect([...heard.values()].sort(byName)).toEqual(there);
      expect(misfits).toEqual([]);
      await reflector.stop();
    }),
    { numRuns: 150 },
  );
});

test('stopped, it says nothing more, whatever it was doing', async () => {
  const server = new Server();
  server.put('a');
  const { reflector, heard } = reflect(server);
  await vi.advanceTimersByTimeAsync(0);
  await reflector.synced;
  expect([...heard.keys()]).toEqual(['a']);
  await reflector.stop();
  server.put('b');
  await vi.advanceTimersByTimeAsync(100_000);
  expect([...heard.keys()]).toEqual(['a']);
});

test('stopped in the middle of a list, it says nothing of it', async () => {
  const server = new Server();
  server.put('a');
  const { reflector, heard } = reflect(server);
  await reflector.stop();
  expect(server.lists).toBe(1);
  expect([...heard.keys()]).toEqual([]);
});

test('a listener that fails ends nothing', async () => {
  const server = new Server();
  for (const name of ['a', 'b']) server.put(name);
  const heard: string[] = [];
  const reflector = startReflector({
    client: server,
    resource: RESOURCES.ConfigMap,
    log,
    changed: ({ metadata: { name } }) => {
      heard.push(name);
      throw new Error('no');
    },
  });
  await vi.advanceTimersByTimeAsync(0);
  server.put('c');
  await vi.advanceTimersByTimeAsync(0);
  expect(heard).toEqual(['a', 'b', 'c']);
  await reflector.stop();
});

test('a complete list comes now and then, though every watch works', async () => {
  const server = new Server();
  const { reflector } = reflect(server, 5000);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(server.lists).toBeGreaterThanOrEqual(5);
  expect(server.lists).toBeLessThanOrEqual(13);
  await reflector.stop();
});

test.each<[string, Parameters<typeof afterWatch>[0], number, object]>([
  [
    'a watch that ended as usual goes on at once',
    { lived: 300_000, heard: 0 },
    3,
    { relist: false, failures: 0, wait: 0, why: 'ended' },
  ],
  ['a short one that told something, too', { lived: 5, heard: 1 }, 3, { failures: 0, wait: 0, why: 'ended' }],
  [
    'one that ended at once with nothing counts as failed',
    { lived: 5, heard: 0 },
    1,
    { failures: 2, wait: 1000, why: 'too-short' },
  ],
  [
    'a forgotten version is listed at once',
    { lived: 0, heard: 0, error: new KubeError('x', 410, 'Expired') },
    0,
    { relist: true, failures: 1, wait: 0, why: 'gone' },
  ],
  [
    'forgotten again and again: after a wait',
    { lived: 0, heard: 0, error: new KubeError('x', 410, 'Expired') },
    2,
    { relist: true, failures: 3, wait: 2000, why: 'gone' },
  ],
  [
    'a server that is away is asked later each time',
    { lived: 0, heard: 0, error: new Error('x') },
    4,
    { relist: false, failures: 5, wait: 5000, why: 'failed' },
  ],
  [
    'a watch that worked for long before it failed is a first failure',
    { lived: 90_000, heard: 9, error: new Error('x') },
    4,
    { failures: 1, wait: 500 },
  ],
  [
    'a server that asks for time gets it',
    { lived: 0, heard: 0, error: new KubeError('x', 429, '', { retryAfter: 9000 }) },
    0,
    { wait: 9000 },
  ],
  [
    'silence is told apart',
    { lived: 90_000, heard: 1, error: new KubeError('x', 0, 'Idle') },
    0,
    { relist: false, why: 'idle', wait: 500 },
  ],
])('%s', (_, outcome, before, next) => {
  expect(afterWatch(outcome, before, { first: 500, longest: 5000 }, 1)).toMatchObject(next);
});

const byName = (a: KubeObject, b: KubeObject) => a.metadata.name.localeCompare(b.metadata.name);
