// The CRD on a real API server, which has another CEL and another schema checker than local mode: what is valid is
// taken with the same defaults, and every mistake of the table is refused at the same place, in the same words where
// the words are ours.

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { nodes, proseOf, SCHEMA } from '../../../operator/api/schema.ts';
import { validate } from '../../../operator/api/validate.ts';
import { type KubeObject, RESOURCES } from '../../../operator/kube/objects.ts';
import { collectionPath, objectPath, withQuery } from '../../../operator/kube/paths.ts';
import { type ApiServer, startApiServer } from '../../harness/apiserver.ts';
import { changed, ROWS, type Row } from '../../unit/api/mistakes.ts';

let server: ApiServer;
let namespace: string;

const root = join(import.meta.dirname, '..', '..', '..');
const CRD = join(root, 'crds', 'flashsale.yaml');
const { FlashSale } = RESOURCES;

beforeAll(async () => {
  server = await startApiServer();
  const { err } = await server.kubectl(['apply', '-f', CRD]);
  expect(err).toBe('');
  const wait = ['wait', '--for=condition=Established', 'crd/flashsales.flashsale.dev', '--timeout=60s'];
  expect((await server.kubectl(wait)).code).toBe(0);
  namespace = await server.namespace();
});
afterAll(() => server?.stop());

interface Answer {
  status: number;
  body: { message?: string; details?: { causes?: { field: string; message: string }[] } } & Partial<KubeObject>;
}
/** Tried out only; unknown fields are refused, as kubectl asks for. */
const STRICT = { dryRun: 'All', fieldValidation: 'Strict' };

const here = (object: Record<string, unknown>): Record<string, unknown> => {
  const metadata = object.metadata as Record<string, unknown> | undefined;
  return metadata?.namespace === 'shop' ? { ...object, metadata: { ...metadata, namespace } } : object;
};
const create = (object: unknown, query: Record<string, string> = STRICT) =>
  server.ask('POST', withQuery(collectionPath(FlashSale, namespace), query), object) as Promise<Answer>;

/** As an edit of a sale that exists, where the row is one. */
async function tryOut({ changes, old }: Row): Promise<Answer> {
  const object = here(changed(changes));
  if (old === undefined) return await create(object);
  const { status, body } = await create(here(changed(old)), {});
  expect(status).toBe(201);
  const { name, resourceVersion } = body.metadata ?? { name: '' };
  const edit = { ...object, metadata: { ...(object.metadata as object), resourceVersion } };
  const answer = await server.ask('PUT', withQuery(objectPath(FlashSale, namespace, name), STRICT), edit);
  await server.connect().delete(FlashSale, namespace, name);
  return answer as Answer;
}

/** Words of ours that the API server says, too. */
const RULES = [...nodes(SCHEMA)].flatMap(({ schema }) =>
  (schema['x-kubernetes-validations'] ?? []).map(({ message }) => message),
);
/** What is not of the schema is found while the text is read, and then said in one sentence without a place. */
const UNREADABLE: Record<string, RegExp> = {
  apiVersion: /does not match the expected API version|strict decoding error/,
  kind: /'Kind' is missing|does not match the expected/,
  'metadata.name': /cannot unmarshal number into .*ObjectMeta\.name of type string/,
  'metadata.labels': /cannot unmarshal array into .*ObjectMeta\.labels/,
  'metadata.labels.a': /cannot unmarshal number into .*ObjectMeta\.labels/,
};

describe('every mistake is refused, at its place', () => {
  // The API server takes an empty namespace for the one that the request names; a file has no such second place.
  const rows = ROWS.filter(({ changes }) => changes['metadata.namespace'] !== '');
  expect(rows.length).toBe(ROWS.length - 1);

  test.each(rows.map((row) => [`${row.expected[0]?.[0]}: ${JSON.stringify(row.changes).slice(0, 90)}`, row] as const))(
    '%s',
    async (_, row) => {
      const { status, body } = await tryOut(row);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
      const causes = body.details?.causes ?? [];
      for (const [path, words] of row.expected) {
        const unknown = /^unknown field/.test(words);
        const sentence = unknown ? new RegExp(`unknown field "${path}"`) : UNREADABLE[path];
        // Nobody gives the API server an object without metadata: it has an empty one then.
        const said = causes.filter(({ field }) => field === path || (path === 'metadata' && field === 'metadata.name'));
        if (said.length === 0) {
          expect(sentence).toBeDefined();
          expect(body.message).toMatch(sentence ?? '');
          continue;
        }
        const rule = RULES.find((message) => words.startsWith(message));
        if (rule !== undefined) expect(said.map(({ message }) => message).join('\n')).toContain(rule);
      }
    },
  );
});

describe('what is valid', () => {
  test.each(globSync('docs/examples/*.yaml', { cwd: root }))(
    '%s is taken, with the same defaults as in local mode',
    async (file) => {
      const object = here(parse(readFileSync(join(root, file), 'utf8')) as Record<string, unknown>);
      const local = validate(object);
      if (!local.ok) throw new Error('local mode refuses it');
      const { status, body } = await create(object);
      expect(status).toBe(201);
      expect(body.spec).toEqual(local.sale.spec);
    },
  );
});

describe('a person with kubectl', () => {
  const file = (changes: Record<string, unknown>) => JSON.stringify(here(changed(changes)));

  test('reads what to write instead', async () => {
    const mistake = await server.kubectl(['apply', '-f', '-'], file({ 'spec.sku': 'two words', 'spec.stock': -5 }));
    expect(mistake.code).toBe(1);
    expect(mistake.err).toContain(
      "spec.sku: Invalid value: \"two words\": must be letters, digits, '.', '_', '/' and '-'",
    );
    expect(mistake.err).toContain('spec.stock: Invalid value: -5');
    const unknown = await server.kubectl(['apply', '-f', '-'], file({ 'spec.replicas': 3 }));
    expect(unknown.err).toContain('unknown field "spec.replicas"');
  });

  test('is told what an edit may not do', async () => {
    expect((await server.kubectl(['apply', '-f', '-'], file({}))).code).toBe(0);
    const { err } = await server.kubectl(['apply', '-f', '-'], file({ 'spec.shards.count': 1 }));
    expect(err).toContain(
      'spec.shards.count: Invalid value: 1: cannot shrink, for shards hold orders; write the former count or more',
    );
  });

  test('finds every field explained', async () => {
    const plain = (text: string) => text.replace(/\s+/g, ' ');
    const { out } = await server.kubectl(['explain', 'flashsale.spec']);
    const spec = SCHEMA.properties?.spec;
    for (const [name, field] of Object.entries(spec?.properties ?? {})) {
      expect(out).toContain(name);
      expect(plain(out)).toContain(plain(proseOf(field)).split('. ')[0]);
    }
    expect(plain((await server.kubectl(['explain', 'fs.spec.cache.nodes'])).out)).toContain('Number of cache nodes.');
  });

  test('sees how a sale is, in its columns', async () => {
    const status = {
      ...{ phase: 'Selling', sold: 7, available: 93, tokensLive: 3, storefrontReplicas: 6 },
      conditions: [
        { type: 'Ready', status: 'True', reason: 'Serving', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' },
      ],
    };
    const { apiVersion, kind } = FlashSale;
    const made = await server
      .connect()
      .applyStatus({ apiVersion, kind, metadata: { name: 'phone-launch', namespace }, status });
    expect(made.status).toMatchObject(status);
    const { out } = await server.kubectl(['-n', namespace, 'get', 'fs']);
    const [head = '', line = ''] = out.split('\n');
    expect(head.split(/ {2,}/)).toEqual(['NAME', 'PHASE', 'READY', 'STOCK', 'SOLD', 'AVAILABLE', 'LIVE TOKENS', 'AGE']);
    expect(line.split(/ +/).slice(0, -1)).toEqual(['phone-launch', 'Selling', 'True', '100000', '7', '93', '3']);
  });

  test('scales the storefronts as any deployment', async () => {
    const scale = ['-n', namespace, 'scale', 'fs', 'phone-launch', '--replicas=9'];
    expect((await server.kubectl(scale)).code).toBe(0);
    expect(await server.connect().get(FlashSale, namespace, 'phone-launch')).toMatchObject({
      spec: { storefront: { replicas: 9 } },
    });
  });
});
