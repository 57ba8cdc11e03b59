// The ConfigMaps and Secrets a sale refers to, and those that stand beside it in the same YAML text, from which local
// mode takes them.

import { sharedSecretFault } from '../../dataplane/protocol/shared-secret.ts';
import { isObject } from './defaults.ts';
import type { Finding, Path } from './findings.ts';
import type { FlashSale } from './flashsale.gen.ts';

/** Texts by object name and key. */
export type Objects = ReadonlyMap<string, ReadonlyMap<string, string>>;

export interface Companions {
  ConfigMap: Objects;
  Secret: Objects;
}

interface Reference {
  kind: keyof Companions;
  name: string;
  key: string;
  /** The field that refers. */
  at: Path;
}

/** Every reference in the sale's spec, by the fields' names: …secretRef, …SecretRef and configMapRefs. */
function referencesOf(sale: FlashSale): Reference[] {
  return [...visit(sale.spec, ['spec'])];
}

function* visit(value: unknown, at: Path): Generator<Reference> {
  if (!isObject(value)) return;
  for (const [field, inner] of Object.entries(value)) {
    const path = [...at, field];
    if (/secretRef$/i.test(field)) yield { kind: 'Secret', ...(inner as { name: string; key: string }), at: path };
    else if (field === 'configMapRefs') {
      for (const [i, ref] of (inner as { name: string; key: string }[]).entries())
        yield { kind: 'ConfigMap', ...ref, at: [...path, i] };
    } else yield* visit(inner, path);
  }
}

/** References to what is not among `companions`, or cannot be used. */
export function brokenReferences(sale: FlashSale, companions: Companions): Finding[] {
  return referencesOf(sale).flatMap(({ kind, name, key, at }) => {
    const data = companions[kind].get(name);
    const value = data?.get(key);
    if (value !== undefined) {
      const fault = at[1] === 'auth' && sharedSecretFault(value.trim(), at[2] === 'jwt' ? 'key' : 'header');
      return fault ? [{ at, message: `refers to key ${key} of Secret ${name}, which ${fault}` }] : [];
    }
    const message =
      data === undefined
        ? `refers to ${kind} ${name}, which is not in this file; add it as a further document, after a line with ---`
        : `refers to key ${key} of ${kind} ${name}, which has ${[...data.keys()].join(', ') || 'none'}`;
    return [{ at, message }];
  });
}

/** The ConfigMaps and Secrets among the documents; whatever else is there is none of this program's business. */
export function companionsOf(documents: readonly unknown[]): Companions {
  const of = (kind: string): Objects =>
    new Map(
      documents.filter(isObject).flatMap((document) => {
        const name = isObject(document.metadata) ? document.metadata.name : undefined;
        return document.kind === kind && typeof name === 'string' ? [[name, dataOf(document)] as const] : [];
      }),
    );
  return { ConfigMap: of('ConfigMap'), Secret: of('Secret') };
}

function dataOf(document: Record<string, unknown>): ReadonlyMap<string, string> {
  const plain = texts(document.kind === 'Secret' ? document.stringData : document.data);
  const encoded = texts(document.kind === 'Secret' ? document.data : undefined);
  return new Map([
    ...encoded.map(([key, text]) => [key, Buffer.from(text, 'base64').toString('utf8')] as const),
    ...plain,
  ]);
}

const texts = (value: unknown): [string, string][] =>
  isObject(value)
    ? Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
    : [];
