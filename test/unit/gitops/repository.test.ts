// The example repository: each sale in it is one, whatever is said to Argo CD and Flux about sales is true of them, and
// the words in it are of this API. What Kustomize makes of it is looked at in test/apiserver.

import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, posix } from 'node:path';
import { evaluate } from '@marcbachmann/cel-js';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { loadFlashSale } from '../../../operator/api/load.ts';
import { API_VERSION, KIND, SCHEMA } from '../../../operator/api/schema.ts';
import { REASONS } from '../../../operator/reconcile/reasons.ts';

const FOLDER = join(import.meta.dirname, '../../../docs/examples/gitops');
const read = (path: string) => readFileSync(join(FOLDER, path), 'utf8');
const found = (pattern: string) => globSync(pattern, { cwd: FOLDER }).sort();
const documents = (path: string) =>
  parseAllDocuments(read(path)).map((document) => document.toJS() as { kind: string; spec: Record<string, unknown> });

test.each(found('sales/*/sale.yaml'))('%s is a sale, called like its folder', (path) => {
  const loaded = loadFlashSale(read(path), { source: path });
  expect(loaded).toMatchObject({ ok: true, sale: { metadata: { name: basename(dirname(path)) } } });
});

describe('Kustomize', () => {
  const files = found('**/kustomization.yaml');
  type Kustomization = {
    resources?: string[];
    components?: string[];
    patches?: { path?: string }[];
    configurations?: [];
  };

  test.each(files)('%s names what there is', (path) => {
    const { resources = [], components = [], patches = [], configurations = [] } = parse(read(path)) as Kustomization;
    const named = [...resources, ...components, ...configurations, ...patches.flatMap((patch) => patch.path ?? [])];
    const there = new Set(found('**'));
    const missing = named
      .filter((name) => !name.startsWith('https://'))
      .filter((name) => !there.has(posix.join(posix.dirname(path), name)));
    expect(missing).toEqual([]);
  });

  test('knows every field of a sale that names another object', () => {
    const { nameReference } = parse(read('sales/references/names.yaml')) as {
      nameReference: { kind: string; fieldSpecs: { kind: string; path: string }[] }[];
    };
    const known = nameReference.flatMap(({ kind, fieldSpecs }) => fieldSpecs.map(({ path }) => `${kind} ${path}`));
    expect(known.sort()).toEqual(referencesIn(SCHEMA.properties?.spec ?? {}, 'spec').sort());
  });
});

type Schema = typeof SCHEMA;

/** By the fields' names, as operator/api/references.ts finds them. */
function referencesIn(schema: Schema, path: string): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    if (/secretRef$/i.test(name)) return [`Secret ${path}/${name}/name`];
    if (name === 'configMapRefs') return [`ConfigMap ${path}/${name}/name`];
    return referencesIn(field, `${path}/${name}`);
  });
}

describe('Flux', () => {
  const [sales] = documents('flux/sales.yaml');
  type Check = { apiVersion: string; kind: string; failed: string; current: string };
  const [check] = (sales?.spec.healthCheckExprs ?? []) as Check[];
  const tested = found('argocd/resource_customizations/**/testdata/{healthy,suspended,degraded,progressing}_*.yaml');
  const states = tested
    .map((path) => [basename(path, '.yaml'), parse(read(path)) as Record<string, unknown>] as const)
    .filter(([, object]) => object.status !== undefined);

  test('looks at the sales that are there', () => {
    const healthChecks = sales?.spec.healthChecks as { name: string }[];
    expect(healthChecks.map(({ name }) => `sales/${name}/sale.yaml`)).toEqual(found('sales/*/sale.yaml'));
    for (const named of [...healthChecks, check]) expect(named).toMatchObject({ apiVersion: API_VERSION, kind: KIND });
  });

  test.each(states)('takes %s for what it is', (name, object) => {
    const current = evaluate(check?.current ?? '', object);
    const failed = evaluate(check?.failed ?? '', object);
    expect(current && failed).toBe(false);
    if (/^(healthy|suspended)_/.test(name)) expect(current).toBe(true);
    if (/missing_reference|quota|image|invalid|conflict/.test(name)) expect(failed).toBe(true);
  });

  test('gives up for reasons that there are', () => {
    const named = [...(check?.failed ?? '').matchAll(/'([A-Z]\w+)'/g)].map(([, word]) => word);
    const known = [...Object.keys(REASONS), ...Object.keys(REASONS.Ready.False), 'True', 'False'];
    expect(named.filter((word) => !known.includes(word ?? ''))).toEqual([]);
  });
});

test.each(found('{argocd/applications,flux/*}.yaml'))('%s leads to folders that there are', (path) => {
  const paths = [...read(path).matchAll(/path: '?(?:\.\/)?((?:operator|environments)[^'\n]*)/g)].map(
    ([, name = '']) => name,
  );
  const environments = ['staging', 'production'];
  const folders = paths.flatMap((name) =>
    name.includes('{{') ? environments.map((environment) => name.replace(/\{\{.*\}\}/, environment)) : [name],
  );
  const kustomizations = found('**/kustomization.yaml').map(dirname);
  expect(folders.filter((name) => !kustomizations.includes(name))).toEqual([]);
});
