// The Secrets of a sale: S-secrets with every password and key, a file each, of which a pod sees only those it needs;
// and S-redis with the configuration of the cache nodes. The only objects that may hold a secret.

import { databaseSecret, type RedisUser, redisSecret, SECRETS } from '../../dataplane/protocol/config.ts';
import { redisConf } from '../../dataplane/runtime/redis-conf.ts';
import type { KubeObject } from '../kube/objects.ts';
import { SUPERUSER_SECRET } from '../topology/postgres-settings.ts';
import type { SecretName, Topology } from '../topology/topology.ts';
import type { ManifestInput } from './input.ts';
import { nameOf, object } from './objects.ts';
import { PATHS, PORTS } from './places.ts';

/** Secrets to make once and to keep for the life of the volumes, for the servers' data knows them. */
export const secretsToMake = (topology: Topology): SecretName[] => [
  ...topology.secrets,
  { name: SUPERUSER_SECRET, encoding: 'base64url' },
];

/** The role whose secrets a container gets. */
export type SecretReader = 'storefront' | 'cache-agent' | 'shard-agent' | 'pool-agent';

/** Names of the files each role reads; with the least it can do its work. */
export function secretsOf(topology: Topology, reader: SecretReader): string[] {
  const own: Record<SecretReader, string[]> = {
    storefront: [
      ...[SECRETS.tokenKey, SECRETS.internal, redisSecret('storefront'), databaseSecret('storefront')],
      ...topology.givenSecrets.flatMap(({ file, use }) => (use ? [file] : [])),
    ],
    'cache-agent': [redisSecret('agent'), databaseSecret('cache')],
    'shard-agent': [SECRETS.ordersKey, databaseSecret('owner')],
    'pool-agent': [SECRETS.internal, redisSecret('pool'), databaseSecret('owner'), databaseSecret('cache')],
  };
  const { sasl, caFile } = topology.kafka;
  return [
    ...own[reader],
    SECRETS.busKey,
    ...(sasl ? [SECRETS.kafkaPassword] : []),
    ...(caFile === undefined ? [] : [caFile]),
  ];
}

export function secretObjects(input: ManifestInput): KubeObject[] {
  const { topology } = input;
  const names = [...secretsToMake(topology).map(({ name }) => name), ...topology.givenSecrets.map(({ file }) => file)];
  const all = Object.fromEntries(names.sort().map((name) => [name, secretOf(input, name)]));
  return [
    // Without them retained volumes could not be read by the sale that takes them over.
    object(input, 'Secret', 'sale', nameOf(topology, 'secrets'), opaque(all), { orphan: topology.retain }),
    object(input, 'Secret', 'cache', nameOf(topology, 'redis'), opaque({ 'redis.conf': redisConfOf(input) })),
  ];
}

const opaque = (texts: Record<string, string>) => ({
  type: 'Opaque',
  data: Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, Buffer.from(text, 'utf8').toString('base64')]),
  ),
});

function secretOf({ secrets }: ManifestInput, name: string): string {
  const value = secrets.get(name);
  if (value === undefined) throw new Error(`the secret ${name} was not given`);
  return value;
}

export function redisConfOf(input: ManifestInput): string {
  const password = (user: RedisUser) => secretOf(input, redisSecret(user));
  return redisConf({
    // Every address of the pod, IPv6 where there is one.
    bind: ['*', '-::*'],
    port: PORTS.redis,
    folder: PATHS.data,
    durability: input.topology.caches.durability,
    passwords: {
      agent: password('agent'),
      storefront: password('storefront'),
      pool: password('pool'),
      audit: password('audit'),
    },
  });
}
