// The CRD keeps the habits its first lines promise, and everything derived from it is fresh.

import { describe, expect, test } from 'vitest';
import { generated, staleFiles } from '../../../hack/generate.ts';
import { guardsChange, nodes, SCHEMA, type Schema, unitOf } from '../../../operator/api/schema.ts';

const all = [...nodes(SCHEMA)].map(({ path, schema, required }) => ({ place: path.join('.'), path, schema, required }));
const within = (root: string) => all.filter(({ path }) => path[0] === root);
const rules = all.flatMap(({ place, schema }) =>
  (schema['x-kubernetes-validations'] ?? []).map((rule) => ({ place, rule })),
);

test('the generated types and the reference page are what the CRD says now', () => {
  expect(staleFiles()).toEqual([]);
});

test('the reference page names every field', () => {
  const page = generated()['docs/api.md'];
  for (const { place, path } of [...within('spec'), ...within('status')]) {
    if (path.at(-1) !== '[]') expect(page, place).toContain(String(path.at(-1)));
  }
});

describe('every field', () => {
  // Kubernetes allows no description on metadata.
  const described = all.filter(({ place }) => place !== 'metadata');

  test('has a description that is a sentence', () => {
    const poor = described.filter(({ schema }) => !/^[a-zA-Z].{8,}[.…]$/s.test(schema.description ?? ''));
    expect(poor.map(({ place }) => place)).toEqual([]);
  });

  test('that is a number names its unit', () => {
    const numbers = all.filter(({ schema }) => schema.type === 'integer' || schema.type === 'number');
    expect(numbers.filter(({ schema }) => unitOf(schema) === undefined).map(({ place }) => place)).toEqual([]);
  });

  test('with a default says so in its description', () => {
    const silent = all.filter(({ schema }) => {
      if (schema.default === undefined || JSON.stringify(schema.default) === '{}') return false;
      const text = typeof schema.default === 'string' ? schema.default : JSON.stringify(schema.default);
      return !schema.description?.includes(`Default: ${text}.`);
    });
    expect(silent.map(({ place }) => place)).toEqual([]);
  });

  test('of the spec is required, has a default, or says what its absence means', () => {
    const open = within('spec').filter(({ path, schema, required }) => {
      const oneOf = ['spec.auth.jwt', 'spec.auth.trustedHeader'].includes(path.join('.'));
      const item = path.at(-1) === '[]' || path.length === 1;
      return !(
        required ||
        item ||
        oneOf ||
        schema.default !== undefined ||
        /\bAbsent: /.test(schema.description ?? '')
      );
    });
    expect(open.map(({ place }) => place)).toEqual([]);
  });

  test('of the spec is bounded, so that a rule about it has a bounded cost', () => {
    const bounded = ({ type, enum: values, maxLength, maxItems, minimum, maximum }: Schema): boolean =>
      type === 'string'
        ? values !== undefined || maxLength !== undefined
        : type === 'array'
          ? maxItems !== undefined
          : type === 'integer' || type === 'number'
            ? minimum !== undefined && maximum !== undefined
            : true;
    expect(
      within('spec')
        .filter(({ schema }) => !bounded(schema))
        .map(({ place }) => place),
    ).toEqual([]);
  });
});

describe('every rule', () => {
  test('has a message that goes on after the name of its place', () => {
    expect(rules.filter(({ rule }) => !/^(must|cannot|tls|sasl)\b.*[^.]$/s.test(rule.message))).toEqual([]);
  });

  test('that guards a change stands where the value can be matched with what it was', () => {
    expect(rules.filter(({ place, rule }) => guardsChange(rule) && place.includes('[]'))).toEqual([]);
  });
});

test('no text has a format or a pattern, and no limit is a fraction: the API server is lax about the former, and rounds', () => {
  const lax = within('spec').filter(
    ({ schema }) =>
      (schema.type === 'string' && ('format' in schema || 'pattern' in schema)) ||
      [schema.minimum, schema.maximum].some((limit) => limit !== undefined && !Number.isInteger(limit)),
  );
  expect(lax.map(({ place }) => place)).toEqual([]);
});
