// What a sale refers to in its namespace: Secrets whose values its roles need, ConfigMaps with buyers' lists. Whoever may create
// a FlashSale may name any of them, and the operator may read them all, so only those are used that are labelled for
// it. Read again after a while, for whoever edits them edits no sale.

import { sharedSecretFault } from '../../dataplane/protocol/shared-secret.ts';
import type { Millis } from '../../dataplane/protocol/units.ts';
import type { KubeClient } from '../kube/client.ts';
import { type KubeObject, RESOURCES } from '../kube/objects.ts';
import type { ObjectKey, Topology } from '../topology/topology.ts';

export interface References {
  /** The values of the secrets that the sale names, by file name of the secrets folder. */
  given: Map<string, string>;
  /** What does not exist, is not labelled as usable, or has no such key, one sentence each. */
  missing: string[];
  /** ConfigMaps among the missing that exist and are not labelled, so that no pod may read them. */
  unusable: string[];
  /** What is there and cannot be used, one sentence each. It is not among `given`. */
  invalid: string[];
}

const isWhole = ({ missing, invalid }: References): boolean => missing.length === 0 && invalid.length === 0;

/** The label by which its owner lets the sales of the namespace use a Secret or ConfigMap. */
const USABLE = 'flashsale.dev/usable';

/** References that are all there are read again after this long. */
const FRESH_FOR: Millis = 20_000;

export class ReferenceReader {
  #last: { wanted: string; at: Millis; found: References } | undefined;

  /** Returns what was read at most some seconds ago. Rejects when the API server cannot be asked. */
  async read(client: KubeClient, { namespace, givenSecrets, lists }: Topology, now: Millis): Promise<References> {
    const texts = [lists.allow, lists.deny].flatMap((list) => list?.from ?? []);
    const wanted = JSON.stringify([givenSecrets, texts]);
    const last = this.#last;
    if (last?.wanted === wanted && now - last.at < (isWhole(last.found) ? FRESH_FOR : 2000)) return last.found;

    const found: References = { given: new Map(), missing: [], unusable: [], invalid: [] };
    const objects = new Map<string, KubeObject | undefined>();
    const read = async (kind: 'Secret' | 'ConfigMap', { name, key }: ObjectKey): Promise<string | undefined> => {
      const id = `${kind}/${name}`;
      if (!objects.has(id)) objects.set(id, await client.get(RESOURCES[kind], namespace, name));
      const object = objects.get(id);
      const isUsable = object?.metadata.labels?.[USABLE] === 'true';
      if (kind === 'ConfigMap' && object !== undefined && !isUsable) found.unusable.push(name);
      const data = isUsable ? (object?.data as Record<string, string> | undefined) : undefined;
      // One sentence for both, so that nobody learns from it which Secrets there are.
      if (!isUsable) found.missing.push(`there is no ${kind} ${name} with the label ${USABLE}: "true" in ${namespace}`);
      else if (data?.[key] === undefined) found.missing.push(`${kind} ${name} has no key ${key}`);
      return data?.[key];
    };
    for (const { file, from, use } of givenSecrets) {
      const value = await read('Secret', from);
      if (value === undefined) continue;
      const text = Buffer.from(value, 'base64').toString('utf8').trim();
      const fault = use && sharedSecretFault(text, use);
      if (fault === undefined) found.given.set(file, text);
      else found.invalid.push(`key ${from.key} of Secret ${from.name} ${fault}`);
    }
    for (const from of texts) await read('ConfigMap', from);
    this.#last = { wanted, at: now, found };
    return found;
  }
}
