// Whatever a file holds, reading it ends in a sale or in mistakes, never in a crash; and defaults change a sale once.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderError } from '../../../operator/api/findings.ts';
import { loadFlashSale } from '../../../operator/api/load.ts';
import { OBJECT } from '../../../operator/api/meta.ts';
import { nodes, SCHEMA, type Schema } from '../../../operator/api/schema.ts';
import { validate } from '../../../operator/api/validate.ts';

/** Texts that fields of this name accept. */
const GOOD: Record<string, string[]> = {
  sku: ['A', 'PHONE-17', 'a/b.c_d'],
  opensAt: ['2026-12-01T12:00:00Z', '2026-12-01T12:00:00.5+01:00'],
  closesAt: ['2026-12-02T12:00:00Z', '2027-01-01T00:00:00-14:00'],
  size: ['64Mi', '1.5Gi', '10Ti'],
  storageClassName: ['fast'],
  ttl: ['5s', '1h', '59m60s'],
  timeout: ['10ms', '10s'],
  paymentDeadline: ['1s', '720h'],
  summaryPeriod: ['0s', '10ms'],
  shardTime: ['1ms', '1m'],
  delay: ['0ms', '1m'],
  cooldown: ['1s', '24h'],
  period: ['100ms', '10m'],
  url: ['https://risk.example.com/check?x=1', 'http://10.0.0.1:80'],
  jwksUri: ['https://id.example.com', 'http://localhost:1/jwks'],
  proxyHeader: ['X-Proxy-Secret', 'X-Other'],
  buyerClaim: ['sub'],
  username: ['u'],
  name: ['a', 'phone-launch'],
  namespace: ['shop'],
  key: ['ids', 'ca.crt'],
  cpu: ['500m', '64'],
  memory: ['1Gi', '1.5G'],
};

/** Where fields exclude or need each other: the choices. */
const CHOICES: Record<string, { without?: string[]; needs?: string[] }[]> = {
  spec: [{ needs: ['auth'] }],
  auth: [
    { without: ['jwt'], needs: ['trustedHeader'] },
    { without: ['trustedHeader'], needs: ['jwt'] },
  ],
  trustedHeader: [{ without: ['insecure'], needs: ['proxySecretRef'] }],
  jwt: [
    { without: ['secretRef'], needs: ['jwksUri'] },
    { without: ['jwksUri'], needs: ['secretRef'] },
  ],
  allowList: [{ needs: ['ids'] }, { needs: ['configMapRefs'] }],
  denyList: [{ needs: ['ids'] }, { needs: ['configMapRefs'] }],
  kafka: [{ without: ['tls', 'sasl'] }, { needs: ['bootstrapServers', 'tls'] }],
  resources: [{ without: ['limits'] }, { without: ['requests'] }],
  qualification: [{ without: ['maxQuantity'] }],
  balancer: [{ without: ['period'] }, { without: ['summaryPeriod'], needs: ['period'] }],
};

/** Objects with the schema's fields; what is optional may be missing, and one value in `oneIn` is anything at all. */
function arbitrary(schema: Schema, name: string, oneIn: number): fc.Arbitrary<unknown> {
  const right = fitting(schema, name, oneIn);
  if (oneIn === 0) return right;
  return fc.oneof({ weight: oneIn, arbitrary: right }, { weight: 1, arbitrary: anything });
}

const anything = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(
    null,
    '',
    '0',
    -1,
    0,
    1.5,
    1e300,
    Number.NaN,
    '\u0000',
    'x'.repeat(2000),
    {},
    { toString: 1, constructor: null, length: -1 },
    [],
  ),
);

function fitting(schema: Schema, name: string, oneIn: number): fc.Arbitrary<unknown> {
  if (schema.properties !== undefined) {
    const fields = Object.entries(schema.properties).filter(([field]) => field !== 'status');
    const record = Object.fromEntries(fields.map(([field, inner]) => [field, arbitrary(inner, field, oneIn)]));
    const choices = oneIn === 0 ? CHOICES[name] : undefined;
    const known = fc.oneof(
      ...(choices ?? [{}]).map(({ without = [], needs = [] }) => {
        const chosen = Object.entries(record).filter(([field]) => !without.includes(field));
        return fc.record(Object.fromEntries(chosen), { requiredKeys: [...(schema.required ?? []), ...needs] });
      }),
    );
    const more = fc.oneof(
      { weight: oneIn, arbitrary: fc.constant({}) },
      { weight: 1, arbitrary: fc.dictionary(fc.string(), anything, { maxKeys: 1 }) },
    );
    return oneIn === 0 ? known : fc.tuple(known, more).map(([a, b]) => ({ ...a, ...b }));
  }
  if (schema.items !== undefined) {
    const item =
      name === 'ids'
        ? fc.stringMatching(/^[!-~]{1,128}$/)
        : name === 'bootstrapServers'
          ? fc.nat(9).map((n) => `k${n}:9092`)
          : name === 'origins'
            ? fc.nat(9).map((n) => `https://shop${n}.example.com`)
            : arbitrary(schema.items, name, oneIn);
    return fc.uniqueArray(item, {
      minLength: schema.minItems ?? 0,
      maxLength: 5,
      selector: (value) => JSON.stringify(value),
    });
  }
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.type === 'boolean') return fc.boolean();
  if (schema.type === 'integer') return fc.integer({ min: schema.minimum ?? 0, max: schema.maximum ?? 100 });
  if (schema.type === 'number') return fc.double({ min: name === 'perSecond' ? 0.01 : 0, max: 1, noNaN: true });
  return fc.constantFrom(...(GOOD[name] ?? ['text']));
}

const { status: _status, ...ours } = OBJECT.properties ?? {};
const SALE: Schema = {
  ...OBJECT,
  properties: { ...ours, metadata: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } } },
};

describe('any object', () => {
  const sale = arbitrary(SALE, '', 40);

  test('ends in a sale or in mistakes, each at a place, and the same ones every time', () => {
    fc.assert(
      fc.property(fc.oneof(sale, fc.anything()), (object) => {
        const before = JSON.stringify(object, (_, value) => (typeof value === 'bigint' ? String(value) : value));
        const result = validate(object);
        if (!result.ok) {
          expect(result.findings.length).toBeGreaterThan(0);
          for (const { message } of result.findings) expect(message).not.toMatch(/undefined|\[object/);
        }
        expect(validate(object)).toEqual(result);
        expect(JSON.stringify(object, (_, value) => (typeof value === 'bigint' ? String(value) : value))).toBe(before);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a valid sale', () => {
  const sale = arbitrary(SALE, '', 0);

  test('stays the same sale however often its defaults are filled in, and is no change of itself', () => {
    let accepted = 0;
    fc.assert(
      fc.property(sale, (object) => {
        const once = validate(object);
        if (!once.ok) return;
        accepted++;
        expect(validate(once.sale)).toEqual(once);
        expect(validate(once.sale, once.sale)).toEqual(once);
        expect(validate(object, once.sale)).toEqual(once);
      }),
      { numRuns: 500 },
    );
    expect(accepted).toBeGreaterThan(250);
  });

  test('has every field that has a default', () => {
    const always = [...nodes(SCHEMA.properties?.spec ?? {})].filter(
      ({ path, schema }) => path.length === 1 && schema.default !== undefined,
    );
    const result = validate({
      apiVersion: 'flashsale.dev/v1alpha1',
      kind: 'FlashSale',
      metadata: { name: 'a' },
      spec: {
        sku: 'A',
        stock: 1,
        cache: { nodes: 1 },
        shards: { count: 1 },
        auth: { trustedHeader: { name: 'X-Buyer-Id', insecure: true } },
      },
    });
    if (!result.ok) throw new Error('the least sale is refused');
    expect(Object.keys(result.sale.spec)).toEqual(expect.arrayContaining(always.map(({ path }) => String(path[0]))));
  });
});

test('any text ends in a sale or in errors with their lines', () => {
  const pieces = fc.constantFrom(
    'spec:',
    '\n',
    '  ',
    '- ',
    'kind: FlashSale',
    '{',
    '}',
    '[',
    ']',
    '&a ',
    '*a',
    '<<: ',
    '---\n',
    '? ',
    '|',
    '>',
    "'",
    '"',
    '\t',
    '!!binary ',
    '#',
    ': ',
    'apiVersion: flashsale.dev/v1alpha1',
    '%YAML 1.2\n',
    '\u0000',
    '...\n',
  );
  const text = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.array(pieces).map((all) => all.join('')),
  );
  fc.assert(
    fc.property(text, (any) => {
      const loaded = loadFlashSale(any, { source: 'any.yaml' });
      if (loaded.ok) return;
      for (const error of loaded.errors) expect(renderError(error)).toMatch(/^any\.yaml:\d+: ./);
    }),
    { numRuns: 2000 },
  );
});
