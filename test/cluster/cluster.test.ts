// What every other test of this folder stands on: the cluster of hack/cluster runs restricted pods from our images, names
// them, keeps their data, and can be looked into; and hack/cluster says what it does and what it cannot do.

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { cluster, kubectl, pod, restrictedNamespace } from '../harness/cluster.ts';
import { until } from '../harness/until.ts';

const STATE = join(process.env.XDG_STATE_HOME ?? join(homedir(), '.local', 'state'), 'flashsale', 'cluster');
const bare = (await readFile(join(STATE, 'provider'), 'utf8').catch(() => '')).trim() === 'bare';

const FLASHSALE = 'localhost/flashsale:dev';
const REDIS = 'localhost/redis:dev';

const ready = (namespace: string, ...names: string[]) =>
  kubectl(['wait', '-n', namespace, '--for=condition=Ready', ...names.map((name) => `pod/${name}`), '--timeout=120s']);
const phase = (namespace: string, name: string) =>
  kubectl(['get', 'pod', name, '-n', namespace, '-o', 'jsonpath={.status.phase}']);

describe('pods', () => {
  test('run from our image as the restricted standard wants it, by the user that the image names, and their logs are kept', async () => {
    const namespace = await restrictedNamespace();
    const container = { image: FLASHSALE, args: ['--help'] };
    await kubectl(['apply', '-f', '-'], pod({ namespace, name: 'help', container, restartPolicy: 'Never' }));
    await until('the pod to end', async () => ['Succeeded', 'Failed'].includes(await phase(namespace, 'help')));
    expect(await kubectl(['logs', 'help', '-n', namespace])).toContain('Usage: flashsale');
    expect(await phase(namespace, 'help')).toBe('Succeeded');
  });

  test('that ask for more are refused there', async () => {
    const namespace = await restrictedNamespace();
    const rooted = pod({ namespace, name: 'root', container: { image: FLASHSALE } });
    rooted.spec.securityContext.runAsNonRoot = false;
    await expect(kubectl(['apply', '-f', '-'], rooted)).rejects.toThrow('violates PodSecurity "restricted:latest"');
  });

  test('find each other by the names of headless Services, ready or not, and through Services', async () => {
    const namespace = await restrictedNamespace();
    const labels = { app: 'peers' };
    const serve = `require('node:http').createServer((_, reply) => reply.end(process.env.HOSTNAME)).listen(8080)`;
    const peer = (name: string, ready: boolean) => {
      const readinessProbe = { tcpSocket: { port: ready ? 8080 : 1 }, periodSeconds: 1 };
      const made = pod({
        ...{ namespace, name, labels },
        container: { image: FLASHSALE, command: ['node', '-e', serve], readinessProbe },
      });
      return { ...made, spec: { ...made.spec, hostname: name, subdomain: 'peers' } };
    };
    const service = (name: string, spec: object) => ({
      ...{ apiVersion: 'v1', kind: 'Service', metadata: { namespace, name } },
      spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }], ...spec },
    });
    await kubectl(
      ['apply', '-f', '-'],
      [
        service('peers', { clusterIP: 'None', publishNotReadyAddresses: true }),
        service('one', {}),
        peer('a', true),
        peer('b', false),
      ],
    );
    await ready(namespace, 'a');
    await until('b to run', async () => (await phase(namespace, 'b')) === 'Running');
    const ask = (url: string) =>
      kubectl([
        ...['exec', 'a', '-n', namespace, '--', 'node', '-e'],
        `fetch('${url}').then((r) => r.text()).then(console.log, (e) => console.log(e.cause?.code))`,
      ]).then((text) => text.trim());
    await expect.poll(() => ask(`http://b.peers.${namespace}.svc:8080`)).toBe('b');
    // Only the ready one stands behind the Service, and it reaches itself through it.
    await expect.poll(() => ask(`http://one.${namespace}.svc`)).toBe('a');
    expect(await ask('http://one')).toBe('a');
    expect(await ask('http://nowhere.example')).toBe('ENOTFOUND');
  });

  test('keep what they wrote to a claim, as a user of any number, when they are replaced; exec looks into them', async () => {
    const namespace = await restrictedNamespace();
    const redis = pod({
      ...{ namespace, name: 'redis', user: 999, claim: 'data' },
      container: {
        image: REDIS,
        command: ['redis-server', '--dir', '/data', '--appendonly', 'yes'],
        readinessProbe: { exec: { command: ['redis-cli', 'ping'] }, periodSeconds: 1 },
      },
    });
    const claim = {
      ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { namespace, name: 'data' } },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    };
    await kubectl(['apply', '-f', '-'], [claim, redis]);
    await ready(namespace, 'redis');
    const cli = (...args: string[]) => kubectl(['exec', 'redis', '-n', namespace, '--', 'redis-cli', ...args]);
    await cli('set', 'sold', '7');
    await kubectl(['delete', 'pod', 'redis', '-n', namespace]);
    await kubectl(['apply', '-f', '-'], redis);
    await ready(namespace, 'redis');
    expect((await cli('get', 'sold')).trim()).toBe('7');
  });
});

describe('hack/cluster', () => {
  const processes = async () =>
    Promise.all(
      (await readdir(join(STATE, 'run')).catch(() => []))
        .sort()
        .map(async (file) => `${file} ${await readFile(join(STATE, 'run', file), 'utf8')}`),
    );

  test('up changes nothing when the cluster is whole, and says what to do next', async () => {
    const before = await processes();
    const { code, err } = await cluster(['up']);
    expect([code, err]).toEqual([0, expect.stringMatching(/^The cluster is up .*\n.*hack\/cluster load\n/)]);
    expect(await processes()).toEqual(before);
  });

  test.runIf(bare)('stops, kills and starts a program; up starts what is missing', async () => {
    const api = () => kubectl(['get', '--raw', '/readyz', '--request-timeout=2s']).catch(() => 'gone');
    expect((await cluster(['kill', 'kube-apiserver'])).code).toBe(0);
    expect(await api()).toBe('gone');
    expect((await cluster(['start', 'kube-apiserver'])).code).toBe(0);
    expect(await api()).toBe('ok');
    expect((await cluster(['stop', 'kube-scheduler'])).code).toBe(0);
    expect((await cluster(['up'])).err).toContain('Starting kube-scheduler');
  });

  test('load gives the cluster only what it lacks', async () => {
    await cluster(['load', 'pause']);
    expect(await cluster(['load', 'localhost/pause:1'])).toEqual({ code: 0, out: '', err: '' });
  });

  test('exec runs a command that reaches the cluster, and answers its exit code', async () => {
    const outcome = await cluster(['exec', '--', 'sh', '-c', 'kubectl get --raw /readyz && exit 7']);
    expect(outcome).toMatchObject({ code: 7, out: 'ok' });
  });

  test('kubeconfig names the file', async () => {
    expect(await cluster(['kubeconfig'])).toEqual({ code: 0, out: `${process.env.KUBECONFIG}\n`, err: '' });
  });

  test.each([[['--help']], [['up', '--help']], [['load', '-h']], [['exec', '--help']]])(
    '%j explains itself',
    async (args) => {
      const { code, out, err } = await cluster(args);
      expect([code, err]).toEqual([0, '']);
      expect(out).toMatch(/^usage: hack\/cluster up \| down/);
    },
  );

  test.each<[string[], string]>([
    [[], 'name what the cluster is to do'],
    [['frobnicate'], 'there is no hack/cluster frobnicate'],
    [['up', 'now'], 'hack/cluster up takes no arguments'],
    [['exec'], 'write hack/cluster exec -- COMMAND…'],
    [['exec', 'kubectl'], 'write hack/cluster exec -- COMMAND…'],
    [['stop'], 'hack/cluster stop takes the name of one program'],
    [['load', 'nothing-of-that-name'], 'there is no image nothing-of-that-name: name one of flashsale redis'],
    [
      ['stop', 'nobody'],
      bare ? 'the cluster has no program nobody, but etcd kube-apiserver' : 'there is no cluster of',
    ],
  ])('%j is refused in one line that says what to write', async (args, words) => {
    const { code, out, err } = await cluster(args);
    expect(code).toBeGreaterThan(0);
    expect(out).toBe('');
    expect(err.split('\n')).toEqual([expect.stringContaining(`flashsale: ${words}`), '']);
  });

  test.each([[['exec', '--', 'true']], [['kubeconfig']], [['load']], [['stop', 'etcd']]])(
    '%j without a cluster says how to make one',
    async (args) => {
      const state = await mkdtemp(join(tmpdir(), 'flashsale-no-cluster-'));
      onTestFinished(() => rm(state, { recursive: true }));
      const { code, err } = await cluster(args, { XDG_STATE_HOME: state });
      expect([code, err]).toEqual([
        1,
        expect.stringMatching(/^flashsale: there is no cluster.* make one with hack\/cluster up\n$/),
      ]);
    },
  );
});
