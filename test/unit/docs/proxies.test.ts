// The examples of proxies before a storefront: whatever a client sends, none of them lets it name a buyer by itself.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { SCHEMA } from '../../../operator/api/schema.ts';

const example = (name: string) =>
  parse(readFileSync(join(import.meta.dirname, '../../../docs/examples/proxies', name), 'utf8'));

const proxyHeader = String(
  SCHEMA.properties?.spec?.properties?.auth?.properties?.trustedHeader?.properties?.proxyHeader?.default,
);
const trusted = ['X-Buyer-Id', proxyHeader];

test('the ingress sets the headers itself, which replaces what a client sent', () => {
  const { metadata } = example('ingress.yaml');
  const snippet = String(metadata.annotations['nginx.ingress.kubernetes.io/configuration-snippet']);
  for (const header of trusted) expect(snippet).toMatch(new RegExp(`^proxy_set_header ${header} `, 'm'));
});

test('the gateway removes the headers on every rule', () => {
  for (const { filters } of example('gateway.yaml').spec.rules) {
    const removed = filters.flatMap(
      (filter: { requestHeaderModifier?: { remove?: string[] } }) => filter.requestHeaderModifier?.remove ?? [],
    );
    expect(removed).toEqual(expect.arrayContaining(trusted));
  }
});
