// The sale's secrets: made once and kept for the life of its volumes, in one Secret that pods mount by single items.
// What the informer cache does not show yet may be there all the same, so before a Secret is made the API server itself is
// asked, and it is created, never overwritten.

import { randomBytes } from 'node:crypto';
import { fingerprint } from '../../dataplane/runtime/fingerprint.ts';
import type { KubeClient } from '../kube/client.ts';
import { type KubeObject, RESOURCES } from '../kube/objects.ts';
import { nameOf } from '../manifests/objects.ts';
import { isOwnedBy, type Owner } from '../manifests/ownership.ts';
import { secretsToMake } from '../manifests/secrets.ts';
import type { SecretName, Topology } from '../topology/topology.ts';

const fresh = (encoding: SecretName['encoding']): string => randomBytes(32).toString(encoding);

/** Returns the values as they are, and new ones for what is missing. */
export function withMissing(found: ReadonlyMap<string, string>, names: readonly SecretName[]): Map<string, string> {
  const values = new Map(found);
  for (const { name, encoding } of names) if (!values.get(name)) values.set(name, fresh(encoding));
  return values;
}

export const valuesOf = (secret: KubeObject | undefined): Map<string, string> =>
  new Map(
    Object.entries((secret?.data ?? {}) as Record<string, string>).map(([name, value]) => [
      name,
      Buffer.from(value, 'base64').toString('utf8'),
    ]),
  );

/** Reads the sale's Secret from the API server. Returns undefined also for one of that name which is somebody else's. */
export async function readOwnSecret(
  client: Pick<KubeClient, 'get'>,
  topology: Topology,
  owner: Owner,
): Promise<KubeObject | undefined> {
  const secret = await client.get(RESOURCES.Secret, topology.namespace, nameOf(topology, 'secrets'));
  return secret && isOwnedBy(owner, secret) ? secret : undefined;
}

/**
 * Returns all values, by file name of the secrets folder, and whether the Secret is there already. `held` is the Secret in
 * the informer cache; undefined: the API server is asked.
 */
export async function saleSecrets(
  client: KubeClient,
  topology: Topology,
  owner: Owner,
  held: KubeObject | undefined,
  given: ReadonlyMap<string, string>,
): Promise<{ values: Map<string, string>; exists: boolean }> {
  const secret = held ?? (await readOwnSecret(client, topology, owner));
  const values = new Map([...withMissing(valuesOf(secret), secretsToMake(topology)), ...given]);
  return { values, exists: secret !== undefined };
}

/** Returns a fingerprint that differs when anything differs that roles read only when they start. */
export const startFingerprint = (secrets: ReadonlyMap<string, string>, kafka: unknown): string =>
  fingerprint(JSON.stringify([[...secrets].sort(([a], [b]) => (a < b ? -1 : 1)), kafka]));
