// A FlashSale is read from YAML as kubectl would read it; what is wrong is named by file, line and field.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { renderError } from '../../../operator/api/findings.ts';
import type { FlashSale, FlashSaleInput } from '../../../operator/api/flashsale.gen.ts';
import { countFlashSales, type LoadOptions, loadFlashSale } from '../../../operator/api/load.ts';

const example = (name: string) => readFileSync(new URL(`../../../docs/examples/${name}.yaml`, import.meta.url), 'utf8');
const minimal = example('minimal');

function load(text: string, options: Partial<LoadOptions> = {}): FlashSale {
  const loaded = loadFlashSale(text, { source: 'sale.yaml', ...options });
  if (!loaded.ok) throw new Error(loaded.errors.map(renderError).join('\n'));
  return loaded.sale;
}

function errors(text: string, options: Partial<LoadOptions> = {}): string[] {
  const loaded = loadFlashSale(text, { source: 'sale.yaml', ...options });
  return loaded.ok ? [] : loaded.errors.map(renderError);
}

describe('the examples', () => {
  test('five fields are enough; these are the defaults of all others', () => {
    expect(load(minimal)).toEqual({
      apiVersion: 'flashsale.dev/v1alpha1',
      kind: 'FlashSale',
      metadata: { name: 'phone-launch', namespace: 'default' },
      spec: {
        sku: 'PHONE-17-256-BLK',
        stock: 100_000,
        window: {},
        paused: false,
        cache: { nodes: 3, durability: 'Always', storage: { size: '1Gi' } },
        shards: { count: 4, storage: { size: '10Gi' } },
        storefront: { replicas: 2, connections: { most: 10_000 } },
        token: { ttl: '120s' },
        qualification: { perBuyer: 1, maxQuantity: 1, reservations: { maxLapsed: 3, cooldown: '10m' } },
        auth: { trustedHeader: { name: 'X-Buyer-Id', proxyHeader: 'X-Proxy-Secret', insecure: true } },
        orders: {},
        balancer: { rule: 'Threshold', deadBand: 0.1, summaryPeriod: '100ms', shardTime: '30ms', delay: '20ms' },
        kafka: {},
        deletionPolicy: 'Retain',
      },
    } satisfies FlashSale);
  });

  test('the demo sells 20,000 units from 3 cache nodes and 4 shards, one to a buyer, at once', () => {
    const { spec } = load(example('quickstart'));
    expect(spec).toMatchObject({
      stock: 20_000,
      cache: { nodes: 3 },
      shards: { count: 4 },
      token: { ttl: '5s' },
      window: {},
      qualification: { perBuyer: 1 },
    });
  });

  test('the full one shows every field of the reference, but for alternatives it names in comments', () => {
    const text = example('full');
    load(text);
    const page = readFileSync(new URL('../../../docs/api.md', import.meta.url), 'utf8');
    const [spec = ''] = page.slice(page.indexOf('## spec')).split('## status');
    const fields = [...spec.matchAll(/^\| `(\w+)` \|/gm)].map(([, field]) => `${field}`);
    expect(fields.length).toBeGreaterThan(60);
    expect(fields.filter((field) => !text.includes(`${field}:`))).toEqual([]);
  });

  test('the input type is what a person may write', () => {
    const input: FlashSaleInput = {
      apiVersion: 'flashsale.dev/v1alpha1',
      kind: 'FlashSale',
      metadata: { name: 'a' },
      spec: {
        sku: 'A',
        stock: 1,
        cache: { nodes: 1 },
        shards: { count: 1 },
        auth: { trustedHeader: { name: 'X-Buyer-Id', insecure: true } },
        token: {},
      },
    };
    expect(load(JSON.stringify(input)).spec.token.ttl).toBe('120s');
  });
});

test('defaults reach into lists and optional objects', () => {
  const { spec } = load(`${minimal}  qualification:
    allowList: {configMapRefs: [{name: members}]}
    rateLimit: {perSecond: 2}
    webhook: {url: "http://risk"}
  kafka: {bootstrapServers: ["k:1"], tls: {}, sasl: {username: u, secretRef: {name: s}}}
`);
  expect(spec.qualification).toEqual({
    perBuyer: 1,
    maxQuantity: 1,
    reservations: { maxLapsed: 3, cooldown: '10m' },
    allowList: { configMapRefs: [{ name: 'members', key: 'ids' }] },
    rateLimit: { perSecond: 2, burst: 5 },
    webhook: { url: 'http://risk', timeout: '500ms', failurePolicy: 'Deny' },
  });
  expect(spec.kafka.tls).toEqual({ enabled: true });
  expect(spec.kafka.sasl).toEqual({
    mechanism: 'SCRAM-SHA-512',
    username: 'u',
    secretRef: { name: 's', key: 'password' },
  });
});

test('a status in the file is dropped, as the API server drops it', () => {
  expect(load(`${minimal}status: {phase: Selling, nonsense: 1}\n`).status).toBeUndefined();
});

test('mistakes are listed in the order of the file, each with its line', () => {
  expect(
    errors(`apiVersion: flashsale.dev/v1alpha1
kind: FlashSale
metadata:
  name: Phone
spec:
  sku: PHONE
  stock: -5
  cache:
    nodess: 3
  shards: {count: 4}
  auth:
    jwt:
      jwksUri: http://id.example.com/
  qualification:
    denyList:
      ids:
        - alice
        - al ice
`),
  ).toEqual([
    'sale.yaml:4: metadata.name: must be 1 to 40 lower-case letters, digits and \'-\', starting with a letter and ending with a letter or digit, such as phone-launch, for pods, volumes and topics are named after it, got "Phone"',
    'sale.yaml:7: spec.stock: must be at least 0 units, got -5',
    'sale.yaml:8: spec.cache.nodes: is required. Number of cache nodes.',
    'sale.yaml:9: spec.cache.nodess: unknown field; did you mean nodes?',
    'sale.yaml:13: spec.auth.jwt.jwksUri: must be an https URL, or http to localhost or *.svc, such as https://id.example.com/.well-known/jwks.json, got "http://id.example.com/"',
    'sale.yaml:18: spec.qualification.denyList.ids[1]: must be a buyer id of visible ASCII characters without spaces, got "al ice"',
  ]);
});

describe('text that holds no one FlashSale', () => {
  test.each<[string, string, string]>([
    ['nothing', '', 'sale.yaml:1: has no FlashSale; begin with apiVersion: flashsale.dev/v1alpha1 and kind: FlashSale'],
    [
      'a comment',
      '# soon\n',
      'sale.yaml:1: has no FlashSale; begin with apiVersion: flashsale.dev/v1alpha1 and kind: FlashSale',
    ],
    [
      'another kind',
      'kind: Deployment\napiVersion: apps/v1\n',
      'sale.yaml:1: has no FlashSale, only Deployment; begin with apiVersion: flashsale.dev/v1alpha1 and kind: FlashSale',
    ],
    ['two sales', `${minimal}---\n${minimal}`, 'sale.yaml:18: has 2 FlashSales; put each in a file of its own'],
    ['a word', 'hello', 'sale.yaml:1: must be a mapping with apiVersion, kind, metadata, …, got "hello"'],
    ['a list', '- 1', 'sale.yaml:1: must be a mapping with apiVersion, kind, metadata, …, got [1]'],
    ['a tab', 'spec:\n\tsku: A\n', 'sale.yaml:2: is not valid YAML: Tabs are not allowed as indentation'],
    [
      'an open bracket',
      'spec: {sku: A\n',
      'sale.yaml:2: is not valid YAML: Flow map in block collection must be sufficiently indented and end with a }',
    ],
    ['a key twice', `${minimal}  stock: 7\n`, 'sale.yaml:16: stock is given twice; remove one'],
    [
      'an alias to nowhere',
      'spec: *there\n',
      'sale.yaml:1: is not valid YAML: Unresolved alias (the anchor must be set before the alias): there',
    ],
  ])('%s', (_, text, error) => {
    expect(errors(text)[0]).toBe(error);
  });

  test('a misspelt kind is told as such', () => {
    expect(errors(minimal.replace('kind: FlashSale', 'kind: Flashsale'))).toEqual([
      'sale.yaml:3: kind: must be FlashSale, got "Flashsale"',
    ]);
  });

  test('an alias that unfolds without end is refused, not unfolded', () => {
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]'];
    for (const [from, to] of ['ab', 'bc', 'cd', 'de', 'ef']) bomb.push(`${to}: &${to} [${`*${from}, `.repeat(9)}x]`);
    expect(errors(`${minimal}x:\n  ${bomb.join('\n  ')}\n`)[0]).toMatch(/is not valid YAML: Excessive alias count/);
  });
});

describe('YAML as kubectl reads it', () => {
  test.each<[string, string, object | undefined]>([
    ['yes is true', 'paused: yes', { paused: true }],
    ['off is false', 'paused: off', { paused: false }],
    ['an exponent is a whole number', 'stock: 1e5', { stock: 100_000 }],
    ['a number with underscores', 'stock: 10_000', { stock: 10_000 }],
    ['a leading zero is octal', 'stock: 010', { stock: 8 }],
    ['a moment is a text', 'window: {opensAt: 2026-12-01T12:00:00Z}', { window: { opensAt: '2026-12-01T12:00:00Z' } }],
    ['12:30 is a text, not a base-60 number', 'sku: 12:30', undefined],
    ['an alias', 'stock: &n 7\n  storefront: {replicas: *n}', { stock: 7, storefront: { replicas: 7 } }],
    ['a merge', 'token: {<<: {ttl: 60s}}', { token: { ttl: '60s' } }],
  ])('%s', (_, line, part) => {
    const field = line.split(':')[0];
    const text = minimal.replace(new RegExp(`^  ${field}:.*\\n(    .*\\n)*`, 'm'), '');
    const found = errors(`${text}  ${line}\n`);
    if (part === undefined) expect(found[0]).toContain('spec.sku: must be letters, digits');
    else expect(load(`${text}  ${line}\n`).spec).toMatchObject(part);
  });

  test('NO is no text', () => {
    expect(errors(minimal.replace('PHONE-17-256-BLK', 'NO'))).toEqual([
      'sale.yaml:7: spec.sku: must be a text, got false; put it in quotes',
    ]);
  });
});

describe('changes of a sale that exists', () => {
  const old = load(minimal);
  test('R33: more shards are welcome', () => {
    expect(load(minimal.replace('count: 4', 'count: 5'), { old }).spec.shards.count).toBe(5);
  });
  test('R33: fewer are refused', () => {
    expect(errors(minimal.replace('count: 4', 'count: 3'), { old })).toEqual([
      'sale.yaml:12: spec.shards.count: cannot shrink, for shards hold orders; write the former count or more, got 3 where it was 4',
    ]);
  });
  test('a sale that is new may have any number', () => {
    expect(errors(minimal.replace('count: 4', 'count: 3'))).toEqual([]);
  });
});

describe('what a self-contained file refers to', () => {
  const sale = `${minimal.replace('trustedHeader: {name: X-Buyer-Id, insecure: true}', 'jwt: {secretRef: {name: shop-jwt}}')}  qualification:
    denyList:
      configMapRefs:
        - {name: bots}
        - {name: resellers, key: all}
`;
  const bots = 'kind: ConfigMap\nmetadata: {name: bots}\ndata:\n  ids: |\n    a\n    b\n';
  const resellers = 'kind: ConfigMap\nmetadata: {name: resellers}\ndata: {ids: c}\n';
  const hush = 'h'.repeat(32);
  const secret = `kind: Secret\nmetadata: {name: shop-jwt}\ndata: {secret: ${Buffer.from(hush).toString('base64')}}\nstringData: {more: plain}\n`;

  test('stands beside the sale', () => {
    const loaded = loadFlashSale([bots, sale, resellers.replace('ids', 'all'), secret].join('---\n'), {
      source: 'x',
      selfContained: true,
    });
    if (!loaded.ok) throw new Error(loaded.errors.map(renderError).join());
    expect(loaded.companions.ConfigMap.get('bots')?.get('ids')).toBe('a\nb\n');
    expect(loaded.companions.Secret.get('shop-jwt')).toEqual(
      new Map([
        ['secret', hush],
        ['more', 'plain'],
      ]),
    );
  });
  test('or is missed', () => {
    expect(errors([sale, resellers].join('---\n'), { selfContained: true })).toEqual([
      'sale.yaml:15: spec.auth.jwt.secretRef: refers to Secret shop-jwt, which is not in this file; add it as a further document, after a line with ---',
      'sale.yaml:19: spec.qualification.denyList.configMapRefs[0]: refers to ConfigMap bots, which is not in this file; add it as a further document, after a line with ---',
      'sale.yaml:20: spec.qualification.denyList.configMapRefs[1]: refers to key all of ConfigMap resellers, which has ids',
    ]);
  });
  test.each([
    ['jwt: {secretRef: {name: weak}}', 'jwt.secretRef'],
    ['trustedHeader: {name: X-Buyer-Id, proxySecretRef: {name: weak}}', 'trustedHeader.proxySecretRef'],
  ])('is refused where it proves who a buyer is and can be guessed: %s', (auth, field) => {
    const weak = 'kind: Secret\nmetadata: {name: weak}\nstringData: {secret: 0123456789abcdef0123456789abcde}\n';
    const text = minimal.replace('trustedHeader: {name: X-Buyer-Id, insecure: true}', auth);
    expect(errors([text, weak].join('---\n'), { selfContained: true })).toEqual([
      `sale.yaml:15: spec.auth.${field}: refers to key secret of Secret weak, which has 31 bytes and must have at least 32; make one with: openssl rand -hex 32`,
    ]);
  });
  test('is no concern where a cluster has it', () => {
    expect(errors(sale)).toEqual([]);
  });
});

describe('a text with several sales', () => {
  const text = `kind: Namespace\n---\n${minimal}---\n${minimal.replace('name: phone-launch', 'name: boots').replace('count: 4', 'count: 0')}`;

  test('is counted, and each of them read by its number, with the lines of the whole text', () => {
    expect(countFlashSales(text)).toBe(2);
    expect(load(text, { which: 0 }).metadata.name).toBe('phone-launch');
    expect(errors(text, { which: 1 })).toEqual([
      expect.stringMatching(/^sale\.yaml:\d+: spec\.shards\.count: must be at least 1 shard, got 0/),
    ]);
    const line = Number(/:(\d+):/.exec(errors(text, { which: 1 })[0] ?? '')?.[1]);
    expect(text.split('\n')[line - 1]).toContain('count: 0');
  });

  test('also where it is wrong, or no YAML at all', () => {
    expect(['', 'hello', '{', 'kind: FlashSale', 'apiVersion: flashsale.dev/v9'].map(countFlashSales)).toEqual([
      0, 0, 0, 1, 1,
    ]);
  });

  test('what was written comes without defaults, also where it is refused', () => {
    expect(loadFlashSale(text, { source: 'x', which: 1 })).toMatchObject({
      ok: false,
      written: { metadata: { name: 'boots' }, spec: { shards: { count: 0 } } },
    });
    expect(loadFlashSale('{', { source: 'x' })).not.toHaveProperty('written');
  });
});
