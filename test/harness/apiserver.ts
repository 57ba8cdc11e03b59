// A real Kubernetes API server and its etcd on free ports of 127.0.0.1: no node, no controllers,
// nothing that acts by itself. The programs are those of $FLASHSALE_KUBE_BIN. Must never outlive whoever started it.

import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { Agent, request } from 'undici';
import { type ConnectOptions, connectKube, type KubeClient } from '../../operator/kube/client.ts';
import { freePort } from './ports.ts';
import { until } from './until.ts';

export interface ApiServer {
  /** `https://127.0.0.1:…`, the same after each restart. */
  url: string;
  port: number;
  /** A file; its user may do everything. */
  kubeconfig: string;
  /** The same; `url`: by way of a proxy, which may speak plain HTTP. */
  config(url?: string): KubeConfig;
  /** Closed by `disconnect` and by `stop`. */
  connect(options?: ConnectOptions & { url?: string }): KubeClient;
  /** Makes a namespace of its own for a test. */
  namespace(labels?: Record<string, string>): Promise<string>;
  /** A request as it is, for what the client does not do. */
  ask(method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown): Promise<{ status: number; body: unknown }>;
  /** `input` comes to `kubectl … -f -`. */
  kubectl(args: string[], input?: string): Promise<{ code: number | null; out: string; err: string }>;
  /** Like a power failure of the API server alone. */
  kill9(): Promise<void>;
  /** Back on the same port, ready. */
  restart(): Promise<void>;
  /** etcd forgets everything but what is there now. */
  compact(): Promise<void>;
  /** Closes the clients that were connected so far. */
  disconnect(): Promise<void>;
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';
/** A test run that is killed takes its servers along: the kernel tells them, as nobody else can. */
const DIE_WITH_PARENT = existsSync('/usr/bin/setpriv') ? ['/usr/bin/setpriv', '--pdeathsig', 'KILL', '--'] : [];

function programs(): string {
  const bin = process.env.FLASHSALE_KUBE_BIN;
  if (bin && existsSync(join(bin, 'kube-apiserver'))) return bin;
  throw new Error('FLASHSALE_KUBE_BIN names no folder with kube-apiserver; hack/test apiserver builds it and sets it');
}

/** A process whose last words are kept, for the message when it does not come up. */
class Server {
  #child: ChildProcess | undefined;
  #said = '';
  readonly #command: string[];

  constructor(command: string[]) {
    this.#command = [...DIE_WITH_PARENT, ...command];
  }

  async start(answers: () => Promise<boolean>): Promise<void> {
    const [program = '', ...args] = this.#command;
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    const keep = (text: Buffer) => {
      this.#said = `${this.#said}${text}`.slice(-4000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const died = new Promise<never>((_, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`${program} ended with ${code}:\n${this.#said}`)));
    });
    died.catch(() => undefined);
    await Promise.race([until(`${program} to answer`, answers), died]);
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await gone;
  }

  killNow(): void {
    this.#child?.kill('SIGKILL');
  }
}

export async function startApiServer(): Promise<ApiServer> {
  const bin = programs();
  const folder = mkdtempSync(join(tmpdir(), 'flashsale-apiserver-'));
  const [etcdPort, peerPort, port] = [await freePort(), await freePort(), await freePort()];
  const etcdUrl = `http://${HOST}:${etcdPort}`;
  const url = `https://${HOST}:${port}`;
  const token = randomBytes(16).toString('hex');
  const inFolder = (name: string, text: string) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

  const etcd = new Server([
    join(bin, 'etcd'),
    ...['--data-dir', join(folder, 'etcd'), '--unsafe-no-fsync', '--log-level', 'error'],
    ...['--listen-client-urls', etcdUrl, '--advertise-client-urls', etcdUrl],
    ...[
      '--listen-peer-urls',
      `http://${HOST}:${peerPort}`,
      '--initial-advertise-peer-urls',
      `http://${HOST}:${peerPort}`,
    ],
    ...['--initial-cluster', `default=http://${HOST}:${peerPort}`],
  ]);
  const apiserver = new Server([
    join(bin, 'kube-apiserver'),
    ...[`--etcd-servers=${etcdUrl}`, `--bind-address=${HOST}`, `--advertise-address=${HOST}`, `--secure-port=${port}`],
    ...[`--cert-dir=${folder}`, '--service-cluster-ip-range=10.96.0.0/16', '--endpoint-reconciler-type=none'],
    ...[
      '--authorization-mode=RBAC',
      `--token-auth-file=${inFolder('tokens', `${token},admin,admin,system:masters\n`)}`,
    ],
    // Nobody makes the service account that pods would have.
    ...['--disable-admission-plugins=ServiceAccount', `--service-account-issuer=https://${HOST}`],
    `--service-account-key-file=${inFolder('sa.pub', String(publicKey.export({ type: 'spki', format: 'pem' })))}`,
    `--service-account-signing-key-file=${inFolder('sa.key', String(privateKey.export({ type: 'pkcs8', format: 'pem' })))}`,
  ]);
  const killNow = () => {
    for (const server of [apiserver, etcd]) server.killNow();
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', killNow);

  const anybody = new Agent({ connect: { rejectUnauthorized: false }, allowH2: false, keepAliveTimeout: 1 });
  const isReady = () =>
    request(`${url}/readyz`, { dispatcher: anybody, headers: { authorization: `Bearer ${token}` } })
      .then(({ statusCode, body }) => body.dump().then(() => statusCode === 200))
      .catch(() => false);
  const askEtcd = async (path: string, body: object) => {
    const answer = await request(`${etcdUrl}${path}`, { method: 'POST', body: JSON.stringify(body) });
    return (await answer.body.json()) as { header?: { revision: string } };
  };
  const etcdAnswers = () =>
    askEtcd('/v3/maintenance/status', {}).then(
      () => true,
      () => false,
    );

  await etcd.start(etcdAnswers);
  await apiserver.start(isReady);

  const config = (at = url): KubeConfig => {
    const config = new KubeConfig();
    const isPlain = at.startsWith('http:');
    config.loadFromClusterAndUser(
      {
        name: 'test',
        server: at,
        skipTLSVerify: isPlain,
        ...(isPlain ? {} : { caData: readFileSync(join(folder, 'apiserver.crt')).toString('base64') }),
      },
      { name: 'admin', token },
    );
    return config;
  };
  const kubeconfig = inFolder('kubeconfig', config().exportConfig());
  const clients: KubeClient[] = [];
  const connect: ApiServer['connect'] = ({ url: at, ...options } = {}) => {
    const client = connectKube(config(at), options);
    clients.push(client);
    return client;
  };
  const disconnect = async () => {
    for (const client of clients.splice(0)) await client.close();
  };
  let namespaces = 0;

  return {
    url,
    port,
    kubeconfig,
    config,
    connect,
    async namespace(labels = {}) {
      const name = `test-${++namespaces}`;
      await connect().create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
      return name;
    },
    async ask(method, path, body) {
      const { statusCode, body: answer } = await request(`${url}${path}`, {
        method,
        dispatcher: anybody,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: body === undefined ? null : JSON.stringify(body),
      });
      return { status: statusCode, body: await answer.json() };
    },
    kubectl: (args, input) => {
      const own = ['--kubeconfig', kubeconfig, '--cache-dir', join(folder, 'kubectl')];
      const child = spawn(join(bin, 'kubectl'), [...own, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
      let [out, err] = ['', ''];
      child.stdout.on('data', (text) => {
        out += text;
      });
      child.stderr.on('data', (text) => {
        err += text;
      });
      child.stdin.end(input ?? '');
      return new Promise((resolve, reject) => {
        child.once('error', reject);
        child.once('close', (code) => resolve({ code, out, err }));
      });
    },
    kill9: () => apiserver.end('SIGKILL'),
    async restart() {
      await apiserver.end('SIGKILL');
      await apiserver.start(isReady);
    },
    async compact() {
      const { header } = await askEtcd('/v3/kv/range', { key: Buffer.from('/').toString('base64') });
      await askEtcd('/v3/kv/compaction', { revision: header?.revision, physical: true });
    },
    disconnect,
    async stop() {
      await disconnect();
      await anybody.close();
      await apiserver.end('SIGKILL');
      await etcd.end('SIGKILL');
      process.off('exit', killNow);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
