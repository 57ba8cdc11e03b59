// What Kustomize makes of the example repository, and whether a real API server takes it.

import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { loadFlashSale } from '../../operator/api/load.ts';
import { type ApiServer, startApiServer } from '../harness/apiserver.ts';
import { until } from '../harness/until.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const PLAIN = join(ROOT, 'charts', 'plain', 'flashsale-operator.yaml');
let server: ApiServer;
let folder: string;

beforeAll(async () => {
  server = await startApiServer();
  folder = mkdtempSync(join(tmpdir(), 'flashsale-gitops-'));
  cpSync(join(ROOT, 'docs', 'examples', 'gitops'), folder, { recursive: true });
  // What the repository refers to by its address is in this checkout.
  const operator = join(folder, 'operator', 'kustomization.yaml');
  const text = readFileSync(operator, 'utf8');
  const local = text.replace(/https:\/\/\S+\/(charts\/plain\/flashsale-operator\.yaml)/, 'flashsale-operator.yaml');
  expect(local).not.toBe(text);
  writeFileSync(operator, local);
  cpSync(PLAIN, join(folder, 'operator', 'flashsale-operator.yaml'));
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const build = async (path: string): Promise<string> => {
  const { code, out, err } = await server.kubectl(['kustomize', join(folder, path)]);
  expect(err).toBe('');
  expect(code).toBe(0);
  return out;
};
interface Built {
  kind: string;
  metadata: { name: string; namespace?: string };
  spec?: Record<string, unknown>;
}
const objects = (text: string): Built[] => parseAllDocuments(text).map((document) => document.toJS() as Built);
const applied = async (text: string) => {
  const { code, err } = await server.kubectl(['apply', '--server-side', '-f', '-'], text);
  expect(err).toBe('');
  expect(code).toBe(0);
};

test('the operator comes with the FlashSale resource, and the API server takes both', async () => {
  const text = await build('operator');
  expect(objects(text).map(({ kind }) => kind)).toEqual(
    expect.arrayContaining(['CustomResourceDefinition', 'Deployment', 'ServiceAccount']),
  );
  await applied(text);
  await until('the resource to be served', async () => (await server.kubectl(['get', 'fs', '-A'])).code === 0);
});

const environments = readdirSync(join(ROOT, 'docs', 'examples', 'gitops', 'environments'));
test.each(environments)(
  'the sales of %s are what our rules and the API server take, lists of buyers included',
  async (name) => {
    const text = await build(join('environments', name));
    expect(loadFlashSale(text, { source: name })).toMatchObject({ ok: true });
    const built = objects(text);
    const lists = built.filter(({ kind }) => kind === 'ConfigMap').map(({ metadata }) => metadata.name);
    const sale = built.find(({ kind }) => kind === 'FlashSale');
    expect(sale?.spec).toMatchObject({
      qualification: { denyList: { configMapRefs: lists.map((list) => ({ name: list })) } },
    });
    expect(
      new Set(built.filter(({ kind }) => kind !== 'Namespace').map(({ metadata }) => metadata.namespace)).size,
    ).toBe(1);
    await applied(text);
  },
);

test('another list of buyers is another edit of the sale', async () => {
  const generationOf = async () =>
    (await server.kubectl(['-n', 'shop', 'get', 'fs/phone-launch', '-o', 'jsonpath={.metadata.generation}'])).out;
  const before = Number(await generationOf());
  writeFileSync(join(folder, 'sales', 'phone-launch', 'resellers.txt'), 'bot-farm-3\n');
  await applied(await build('environments/production'));
  expect(Number(await generationOf())).toBe(before + 1);
});

test('the settings for Argo CD are a ConfigMap that the API server takes', async () => {
  await server.kubectl(['create', 'namespace', 'argocd']);
  const file = join(folder, 'argocd', 'argocd-cm.yaml');
  expect(existsSync(file)).toBe(true);
  await applied(readFileSync(file, 'utf8'));
});
