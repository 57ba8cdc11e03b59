// What is wrong with a resource is found, all of it, and said in words that tell what to write instead.

import { describe, expect, test } from 'vitest';
import { renderPath } from '../../../operator/api/findings.ts';
import type { FlashSale } from '../../../operator/api/flashsale.gen.ts';
import { nodes, type Rule, SCHEMA } from '../../../operator/api/schema.ts';
import { validate } from '../../../operator/api/validate.ts';
import { type Changes, changed, ROWS, type Row } from './mistakes.ts';

function findings({ changes, old }: Pick<Row, 'changes' | 'old'>): [string, string][] {
  const result = validate(changed(changes), old && valid(old));
  return result.ok ? [] : result.findings.map(({ at, message }) => [renderPath(at), message]);
}

function valid(changes: Changes): FlashSale {
  const result = validate(changed(changes));
  if (!result.ok) throw new Error(result.findings.map(({ at, message }) => `${renderPath(at)}: ${message}`).join('\n'));
  return result.sale;
}

describe('each mistake is reported at its place, with what to write instead', () => {
  test.each(ROWS.map((row) => [`${row.expected[0]?.[0]}: ${JSON.stringify(row.changes).slice(0, 90)}`, row] as const))(
    '%s',
    (_, row) => {
      expect(findings(row)).toEqual(row.expected);
    },
  );
});

test('every CEL rule of the CRD is broken by some row', () => {
  const rules = [...nodes(SCHEMA)].flatMap(({ path, schema }) =>
    (schema['x-kubernetes-validations'] ?? []).map((rule: Rule) => ({
      place: [...path, ...(rule.fieldPath?.slice(1).split('.') ?? [])].join('.').replaceAll('.[]', '[]'),
      message: rule.message,
    })),
  );
  const broken = ROWS.flatMap(({ expected }) => expected).map(
    ([path, message]) => [path.replace(/\[\d+\]/g, '[]'), message] as const,
  );
  const unbroken = rules.filter(
    ({ place, message }) => !broken.some(([path, said]) => path === place && said.startsWith(message)),
  );
  expect(rules.length).toBeGreaterThan(40);
  expect(unbroken).toEqual([]);
});

test('every kind of limit the schema uses is broken by some row', () => {
  const words: Record<string, RegExp> = {
    type: /^must be (a |true)/,
    enum: /^must be one of/,
    required: /^is required/,
    minimum: /^must be at least [\d.]+( (?!char)|,)/,
    maximum: /^must be at most [\d.]+( (?!char)|,)/,
    minLength: /^must be at least \d+ characters? long/,
    maxLength: /^must be at most \d+ characters? long/,
    minItems: /^must have at least/,
    maxItems: /^must have at most/,
    'x-kubernetes-list-type': /^is a duplicate/,
    'x-kubernetes-int-or-string': /^must be a quantity, got/,
  };
  const unchecked = new Set(['description', 'default', 'format', 'properties', 'items', 'x-kubernetes-validations']);
  const used = new Set(
    [...nodes(SCHEMA.properties?.spec ?? {})]
      .flatMap(({ schema }) => Object.keys(schema))
      .filter((keyword) => !unchecked.has(keyword)),
  );
  const messages = ROWS.flatMap(({ expected }) => expected.map(([, message]) => message));
  const unbroken = [...used].filter((keyword) => !messages.some((message) => words[keyword]?.test(message)));
  expect(unbroken).toEqual([]);
});

test('all mistakes are reported together', () => {
  const changes = { 'spec.stock': -5, 'spec.token.ttl': '2s', 'spec.cache.nodes': undefined, 'spec.shards.count': 0 };
  expect(
    findings({ changes })
      .map(([path]) => path)
      .sort(),
  ).toEqual(['spec.cache.nodes', 'spec.shards.count', 'spec.stock', 'spec.token.ttl']);
});

describe('a rule about a value that is itself mistaken keeps quiet', () => {
  test.each<[string, Changes, string[]]>([
    [
      'a quantity above a limit that is no number',
      { 'spec.qualification.perBuyer': 'all' },
      ['spec.qualification.perBuyer'],
    ],
    ['a window whose opening is no moment', { 'spec.window.opensAt': 'soon' }, ['spec.window.opensAt']],
    [
      'a list with a misspelt field',
      { 'spec.qualification.denyList': { id: ['a'] } },
      ['spec.qualification.denyList.id'],
    ],
    [
      'requests above limits that are no quantity',
      { 'spec.cache.resources.limits.cpu': 'two' },
      ['spec.cache.resources.limits.cpu'],
    ],
  ])('%s', (_, changes, paths) => {
    expect(findings({ changes }).map(([path]) => path)).toEqual(paths);
  });
});

describe('what may be edited while a sale runs', () => {
  test.each<[string, Changes, Changes]>([
    ['restock', { 'spec.stock': 10 }, { 'spec.stock': 20 }],
    ['withdraw everything', { 'spec.stock': 10 }, { 'spec.stock': 0 }],
    ['more shards', { 'spec.shards.count': 4 }, { 'spec.shards.count': 8 }],
    ['fewer cache nodes', { 'spec.cache.nodes': 4 }, { 'spec.cache.nodes': 2 }],
    ['no storefront', {}, { 'spec.storefront.replicas': 0, 'spec.storefront.autoscaling': undefined }],
    [
      'a larger volume, in another unit',
      { 'spec.shards.storage.size': '1024Mi' },
      { 'spec.shards.storage.size': '1Gi' },
    ],
    ['another rule', { 'spec.balancer.rule': 'Average' }, { 'spec.balancer.rule': 'None' }],
    ['pause', { 'spec.paused': false }, { 'spec.paused': true }],
    ['a later end', {}, { 'spec.window.closesAt': '2027-01-01T00:00:00Z' }],
  ])('R33: %s', (_, old, changes) => {
    expect(findings({ old, changes })).toEqual([]);
  });
});

describe('what is unusual, but right', () => {
  test.each<[string, Changes]>([
    ['a sale of nothing', { 'spec.stock': 0 }],
    ['the largest sale', { 'spec.stock': 100_000_000 }],
    ['a token of an hour in odd words', { 'spec.token.ttl': '59m60s' }],
    ['every change reported at once', { 'spec.balancer.summaryPeriod': '0s' }],
    ['keys from the cluster itself', { 'spec.auth.jwt.jwksUri': 'http://dex.auth.svc:5556/dex/keys' }],
    ['keys from this machine', { 'spec.auth.jwt.jwksUri': 'http://127.0.0.1:8080/jwks?x=1' }],
    ['a password in the open, on purpose', { 'spec.kafka.tls': { enabled: false } }],
    ['encryption with everything default', { 'spec.kafka.tls': {} }],
    ['one list only', { 'spec.qualification.allowList.ids': undefined }],
    ['an opening without an end', { 'spec.window.closesAt': undefined }],
    ['null for a field with a default', { 'spec.token': null }],
    ['null for an optional field', { 'spec.window.opensAt': null }],
    ['a leap day', { 'spec.window.opensAt': '2024-02-29T12:00:00Z' }],
    ['CPU as a number', { 'spec.cache.resources': { requests: { cpu: 2 } } }],
    ['a quantity with a decimal point', { 'spec.cache.resources': { limits: { cpu: '1.5', memory: '1.5Gi' } } }],
    ['a longest name', { 'metadata.name': 'a'.repeat(40) }],
  ])('%s', (_, changes) => {
    expect(findings({ changes })).toEqual([]);
  });
});
