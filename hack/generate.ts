#!/usr/bin/env node
// Derives what is written down in more than one place: the API's TypeScript types and reference page from
// crds/flashsale.yaml, the page on conditions from operator/reconcile/reasons.ts, the page on requirements from the names
// of the tests, the description of the order events from dataplane/protocol/order-event.ts, Argo CD's settings from the
// scripts beside them, and the chart's dashboards, copy of the CRD and README from
// charts/sources/dashboards and its own values.
//
//   node hack/generate.ts           writes the files
//   node hack/generate.ts --check   writes nothing; exits 1 and names the files that are stale
//
// Every object of the API comes as two types: as a person may write it (…Input), and as every program sees it, with the defaults
// filled in.

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Path } from '../operator/api/findings.ts';
import {
  API_VERSION,
  guardsChange,
  KIND,
  nodes,
  proseOf,
  SCHEMA,
  type Schema,
  unitOf,
} from '../operator/api/schema.ts';
import { argocdSettings } from './lib/generate/argocd-settings.ts';
import { chartFiles } from './lib/generate/chart/files.ts';
import { conditionsPage } from './lib/generate/conditions-page.ts';
import { orderEventSchema, orderEventsAsyncApi } from './lib/generate/order-events.ts';
import { requirementsPage } from './lib/generate/requirements-page.ts';

/** The generated files' contents, by path from the root of the repository. */
export const generated = (): Record<string, string> => ({
  'operator/api/flashsale.gen.ts': typesFile(),
  'docs/api.md': referencePage(),
  'docs/conditions.md': conditionsPage(),
  'docs/requirements.md': requirementsPage(),
  'docs/order-events/order-event.schema.json': orderEventSchema(),
  'docs/order-events/asyncapi.yaml': orderEventsAsyncApi(),
  'docs/examples/gitops/argocd/argocd-cm.yaml': argocdSettings(),
  ...chartFiles(),
});

/** The generated files whose content on disk is not what the CRD says now. */
export const staleFiles = (): string[] =>
  Object.entries(generated()).flatMap(([path, content]) => (onDisk(path) === content ? [] : [path]));

const fileOf = (path: string): URL => new URL(`../${path}`, import.meta.url);

function onDisk(path: string): string | undefined {
  try {
    return readFileSync(fileOf(path), 'utf8');
  } catch {
    return undefined;
  }
}

/** An object of the schema with every place it stands at; shared parts (resources) stand at several. */
interface ObjectNode {
  schema: Schema;
  paths: Path[];
}

function objects(): ObjectNode[] {
  const found = new Map<Schema, ObjectNode>();
  for (const { path, schema } of nodes(SCHEMA)) {
    if (schema.properties === undefined || !(path[0] === 'spec' || path[0] === 'status')) continue;
    const known = found.get(schema);
    if (known === undefined) found.set(schema, { schema, paths: [path] });
    else known.paths.push(path);
  }
  return [...found.values()];
}

/** The end that all places of a shared object have in common; the whole place of any other. */
function commonEnd([first = [], ...others]: Path[]): Path {
  let length = first.length;
  while (!others.every((other) => first.slice(-length).every((part, i) => part === other.slice(-length)[i]))) length--;
  return first.slice(-length);
}

// ---- types

function typesFile(): string {
  const all = objects();
  const names = new Map(all.map(({ schema, paths }) => [schema, typeName(paths)]));
  const declared = all.flatMap(({ schema, paths }) => {
    const variants: ('' | 'Input')[] = paths[0]?.[0] === 'spec' && hasDefaults(schema) ? ['', 'Input'] : [''];
    return variants.map((variant) => declaration(schema, variant, names));
  });
  const whole = (
    variant: '' | 'Input',
    metadata: string,
  ): string => `${comment(SCHEMA, '')}export interface ${KIND}${variant} {
  apiVersion: '${API_VERSION}';
  kind: '${KIND}';
  metadata: ${metadata};
  spec: ${KIND}Spec${variant};
  status?: ${KIND}Status;
}
`;
  return `// Generated from crds/flashsale.yaml by \`node hack/generate.ts\`: edit that file, not this one.
// A type …Input is what a person may write; the one without is the same with its defaults filled in.

import type { Units } from '../../dataplane/protocol/units.ts';
import type { ObjectMeta } from './meta.ts';
import type { Duration, Quantity, Timestamp } from './scalars.ts';

${[whole('', 'ObjectMeta'), whole('Input', "Pick<ObjectMeta, 'name'> & Partial<ObjectMeta>"), ...declared].join('\n')}`;
}

/** `spec` is FlashSaleSpec, `spec.auth.jwt` AuthJwtSpec, `status.shards[]` ShardStatus. */
function typeName(paths: Path[]): string {
  const root = String(paths[0]?.[0]);
  const words = label(commonEnd(paths))
    .replace(/s\[\]/g, '')
    .split('.')
    .filter((word) => word !== root);
  return `${words.map(capital).join('') || KIND}${capital(root)}`;
}

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

/** Whether a field within it has a default, so that the two types differ. */
const hasDefaults = (schema: Schema): boolean =>
  [...nodes(schema)].some((node) => node.path.length > 0 && node.schema.default !== undefined);

function declaration(schema: Schema, variant: '' | 'Input', names: Map<Schema, string>): string {
  const fields = Object.entries(schema.properties ?? {}).map(([name, field]) => {
    const always = schema.required?.includes(name) || (variant === '' && field.default !== undefined);
    return `${comment(field, '  ')}  ${name}${always ? '' : '?'}: ${typeOf(field, variant, names)};\n`;
  });
  return `${comment(schema, '')}export interface ${names.get(schema)}${variant} {\n${fields.join('')}}\n`;
}

function typeOf(schema: Schema, variant: '' | 'Input', names: Map<Schema, string>): string {
  if (schema.properties !== undefined) return `${names.get(schema)}${hasDefaults(schema) ? variant : ''}`;
  if (schema.items !== undefined) return `${typeOf(schema.items, variant, names)}[]`;
  if (schema.enum !== undefined) return schema.enum.map((value) => `'${value}'`).join(' | ');
  if (schema['x-kubernetes-int-or-string']) return 'Quantity';
  if (schema.type === 'boolean') return 'boolean';
  if (schema.type !== 'string') return unitOf(schema) === 'units' ? 'Units' : 'number';
  return isMoment(schema) ? 'Timestamp' : isDuration(schema) ? 'Duration' : 'string';
}

const isDuration = (schema: Schema): boolean => rulesOf(schema).some(({ rule }) => rule.includes('duration(self)'));

const isMoment = (schema: Schema): boolean =>
  schema.format === 'date-time' || rulesOf(schema).some(({ rule }) => rule.includes('timestamp(self'));

const rulesOf = (schema: Schema) => schema['x-kubernetes-validations'] ?? [];

/** The description as a comment of at most 120 columns. */
function comment(schema: Schema, indent: string): string {
  const lines: string[] = [];
  for (const word of (schema.description ?? '').split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && `${indent} * ${last} ${word}`.length <= 120) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  const [only, more] = lines;
  if (more === undefined && `${indent}/** ${only} */`.length <= 120) return `${indent}/** ${only} */\n`;
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}\n`).join('')}${indent} */\n`;
}

// ---- reference page

function referencePage(): string {
  return `<!-- Generated from crds/flashsale.yaml by \`node hack/generate.ts\`: edit that file, not this one. -->
# ${KIND} reference

\`apiVersion: ${API_VERSION}\`, \`kind: ${KIND}\`, short name \`fs\`, namespaced.

${proseOf(SCHEMA)}

Five fields are enough; every other one has a default:

\`\`\`yaml
${readFileSync(fileOf('docs/examples/minimal.yaml'), 'utf8')
  .replace(/^#.*\n/gm, '')
  .trim()}
\`\`\`

More in [examples](examples): [quickstart.yaml](examples/quickstart.yaml) is the sale of the demo,
[full.yaml](examples/full.yaml) shows every field.

A **duration** is whole numbers with units, such as \`500ms\`, \`120s\` or \`1h30m\`. A **quantity** is one of Kubernetes,
such as \`500m\`, \`2\` or \`10Gi\`. A **moment** is RFC 3339 with its time zone, such as \`2026-12-01T12:00:00Z\`. Unknown
fields are refused. Under each table stand the rules beyond types and limits, in the words in which a mistake is reported;
the API server (schema and CEL) and local mode enforce the same ones.

## metadata

${rulesOf(SCHEMA)
  .map(({ fieldPath, message }) => `- \`${fieldPath?.replace('.metadata.', '')}\` ${message}.`)
  .join('\n')}

${objects()
  .map(({ schema, paths }) => section(schema, paths))
  .join('\n')}`;
}

const label = (path: Path): string => path.join('.').replaceAll('.[]', '[]');
const anchor = (path: Path): string =>
  label(path)
    .toLowerCase()
    .replace(/[^a-z0-9-]/g, '');

function section(schema: Schema, paths: Path[]): string {
  const [path = []] = paths;
  const also = paths.slice(1).map((other) => `\`${label(other)}\``);
  const rows = Object.entries(schema.properties ?? {}).map(([name, field]) => {
    const required = schema.required?.includes(name) ? '**required**' : shownDefault(field);
    const target = objects().find((object) => object.schema === (field.items ?? field));
    const type =
      target === undefined
        ? typeText(field)
        : `[${field.items ? 'list' : 'object'}](#${anchor(target.paths[0] ?? [])})`;
    return `| \`${name}\` | ${type} | ${required} | ${proseOf(field).replaceAll('|', '\\|')} |`;
  });
  const rules = [
    ...rulesOf(schema).map((rule) => ({ rule, name: rule.fieldPath?.slice(1) })),
    ...fieldRules(schema),
  ].map(
    ({ rule, name }) =>
      `- ${guardsChange(rule) ? 'When changed: ' : ''}${name === undefined ? '' : `\`${name}\` `}${rule.message}.`,
  );
  return `## ${label(path)}

${proseOf(schema)}${also.length === 0 ? '' : ` The same fields: ${also.join(', ')}.`}

| field | type | default | meaning |
| --- | --- | --- | --- |
${rows.join('\n')}
${rules.length === 0 ? '' : `\n${rules.join('\n')}\n`}`;
}

/** Rules of the fields that have no section of their own. */
const fieldRules = (schema: Schema) =>
  Object.entries(schema.properties ?? {}).flatMap(([name, field]) => [
    ...(field.properties === undefined ? rulesOf(field).map((rule) => ({ rule, name })) : []),
    ...(field.items !== undefined ? rulesOf(field.items).map((rule) => ({ rule, name: `${name}[]` })) : []),
  ]);

function shownDefault(schema: Schema): string {
  if (schema.default === undefined) return '';
  const empty = JSON.stringify(schema.default) === '{}';
  return empty
    ? 'its defaults'
    : `\`${typeof schema.default === 'string' ? schema.default : JSON.stringify(schema.default)}\``;
}

function typeText(schema: Schema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(', ');
  if (schema['x-kubernetes-int-or-string']) return 'quantity';
  if (schema.items !== undefined) return `list of at most ${schema.maxItems} ${schema.items.type}s`;
  if (schema.type === 'string') {
    if (isMoment(schema)) return 'moment';
    if (isDuration(schema)) return 'duration';
    if (unitOf(schema)?.endsWith('quantity')) return 'quantity';
    return schema.maxLength === undefined ? 'string' : `string of at most ${schema.maxLength} characters`;
  }
  const { minimum, maximum } = schema;
  const range = minimum === undefined || maximum === undefined ? '' : `, ${minimum} to ${maximum}`;
  const unit = unitOf(schema);
  return `${schema.type}${range}${unit === undefined || unit.startsWith('fraction') ? '' : ` ${unit}`}`;
}

// ---- command

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const stale = staleFiles();
  if (process.argv[2] === '--check') {
    for (const path of stale) console.error(`${path} is stale; run: node hack/generate.ts`);
    process.exitCode = stale.length === 0 ? 0 : 1;
  } else {
    const content = generated();
    for (const path of stale) writeFileSync(fileOf(path), content[path] ?? '');
  }
}
