// Where the API server is and how to prove who we are, from client-node's KubeConfig, which knows kubeconfig files,
// service accounts and exec plugins. It is asked before each request: tokens end and certificates are exchanged while
// we run. Its own requests are not used, for they make a connection each; ours are kept.

import type { RequestOptions } from 'node:https';
import { isDeepStrictEqual } from 'node:util';
import type { KubeConfig } from '@kubernetes/client-node';
import { Agent, type buildConnector, type Dispatcher, ProxyAgent, Socks5ProxyAgent } from 'undici';
import type { Millis } from '../../dataplane/protocol/units.ts';

export interface Way {
  /** The address of the API server, such as `https://10.0.0.1:6443`. */
  origin: string;
  /** The beginning of every path: an API server may live in a folder of a gateway. */
  prefix: string;
  headers: Record<string, string>;
  dispatcher: Dispatcher;
}

export interface Connection {
  /** Throws an Error in words where the configuration leads nowhere. */
  way(): Promise<Way>;
  /** Ends everything that is under way. */
  close(): Promise<void>;
}

/** Idle connections are kept for less long than servers and the balancers before them do. */
const KEEP_ALIVE: Millis = 30_000;
const CONNECT: Millis = 5_000;

export function connection(config: KubeConfig): Connection {
  let current: { credentials: Credentials; dispatcher: Dispatcher } | undefined;
  let closed = false;
  const former = new Set<Dispatcher>();

  /** Returns the same dispatcher for as long as the credentials of the connection itself are the same. */
  const dispatcherOf = (cluster: Cluster, credentials: Credentials): Dispatcher => {
    if (current !== undefined && isDeepStrictEqual(current.credentials, credentials)) return current.dispatcher;
    const before = current?.dispatcher;
    current = { credentials, dispatcher: makeDispatcher(config, cluster, credentials) };
    if (before !== undefined) {
      // What is under way ends in its own time.
      former.add(before);
      void before.close().finally(() => former.delete(before));
    }
    return current.dispatcher;
  };

  return {
    async way() {
      const cluster = config.getCurrentCluster();
      if (!cluster) throw new Error('the kubeconfig has no current context, or one that names no cluster');
      const options: RequestOptions = {};
      await config.applyToHTTPSOptions(options);
      if (closed) throw new Error('the client was closed');
      const { origin, pathname } = new URL(cluster.server);
      return {
        origin,
        prefix: pathname.replace(/\/+$/, ''),
        headers: headersOf(options),
        dispatcher: dispatcherOf(cluster, credentialsOf(options)),
      };
    },
    async close() {
      closed = true;
      const all = [...former, ...(current ? [current.dispatcher] : [])];
      await Promise.all(all.map((dispatcher) => dispatcher.destroy()));
    },
  };
}

type Cluster = NonNullable<ReturnType<KubeConfig['getCurrentCluster']>>;

/** What a connection is made with, as opposed to what each request carries. */
type Credentials = Pick<
  RequestOptions,
  'ca' | 'cert' | 'key' | 'pfx' | 'passphrase' | 'rejectUnauthorized' | 'servername'
>;

const credentialsOf = ({
  ca,
  cert,
  key,
  pfx,
  passphrase,
  rejectUnauthorized,
  servername,
}: RequestOptions): Credentials => ({ ca, cert, key, pfx, passphrase, rejectUnauthorized, servername });

function headersOf({ headers = {}, auth }: RequestOptions): Record<string, string> {
  const basic = auth ? { Authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {};
  return { ...basic, ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])) };
}

function makeDispatcher(config: KubeConfig, cluster: Cluster, credentials: Credentials): Dispatcher {
  const options = config.createDispatcherOptions(cluster, credentials);
  const common = {
    keepAliveTimeout: KEEP_ALIVE,
    connectTimeout: CONNECT,
    // A deadline of each request bounds them, a watchdog each watch.
    headersTimeout: 0,
    bodyTimeout: 0,
    // One connection a watch: where all share one, one that stalls stalls them all, the Lease's too.
    allowH2: false,
  };
  // client-node's types spell "absent" in another way than undici's.
  const tls = (given: object): buildConnector.BuildOptions => given;
  switch (options.type) {
    case 'proxy': {
      const { uri, requestTls, connect } = options;
      return new ProxyAgent({ ...common, uri, requestTls: tls(requestTls), connect: tls(connect) });
    }
    case 'socks':
      return new Socks5ProxyAgent(options.uri, { ...common, requestTls: tls(options.requestTls) });
    case 'agent':
      return new Agent({ ...common, connect: tls(options.connect) });
    case 'none':
      return new Agent(common);
  }
}
