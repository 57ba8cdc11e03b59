// Reads crds/flashsale.yaml, the one source of the API, and names the parts of its schema. Everything else about the
// API (defaults, checks, types, reference page) is derived from what this file returns.

import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { Path } from './findings.ts';

/** A CEL rule. `rule` sees `self`, and `oldSelf` if it guards a change; `fieldPath` says where the mistake is shown. */
export interface Rule {
  rule: string;
  message: string;
  fieldPath?: string;
}

/** The part of a structural schema (Kubernetes' subset of OpenAPI 3) that the API uses. Nothing else is understood. */
export interface Schema {
  type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  description?: string;
  default?: unknown;
  enum?: string[];
  format?: 'int32' | 'int64' | 'date-time';
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  required?: string[];
  properties?: Record<string, Schema>;
  additionalProperties?: Schema;
  items?: Schema;
  'x-kubernetes-int-or-string'?: true;
  'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-validations'?: Rule[];
}

interface Definition {
  spec: {
    group: string;
    names: { kind: string; shortNames: string[] };
    versions: [{ name: string; schema: { openAPIV3Schema: Schema } }];
  };
}

const definition = parse(readFileSync(new URL('../../crds/flashsale.yaml', import.meta.url), 'utf8')) as Definition;
const [version] = definition.spec.versions;

export const KIND = definition.spec.names.kind;
export const API_VERSION = `${definition.spec.group}/${version.name}`;

/** Schema of the whole object. `spec` and `status` as the CRD has them; `metadata` only as far as it restricts it. */
export const SCHEMA: Schema = version.schema.openAPIV3Schema;

/** Whether a rule guards a change: it applies only where there was a value before. */
export const guardsChange = (rule: Rule): boolean => /\boldSelf\b/.test(rule.rule);

/** Every schema node, parents first, in the file's order. A list's items are the path segment `[]`. */
export function* nodes(schema: Schema, path: Path = []): Generator<{ path: Path; schema: Schema; required: boolean }> {
  yield* visit(schema, path, false);
}

function* visit(
  schema: Schema,
  path: Path,
  required: boolean,
): Generator<{ path: Path; schema: Schema; required: boolean }> {
  yield { path, schema, required };
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    yield* visit(property, [...path, name], schema.required?.includes(name) ?? false);
  }
  if (schema.items !== undefined) yield* visit(schema.items, [...path, '[]'], false);
}

const UNIT = / ?Unit: ([^.]+)\./;
const DEFAULT = / ?Default: (?:.*?)(?:\.$|\. )/;

/** The unit a description ends with ("Unit: nodes."), if it names one. */
export const unitOf = (schema: Schema): string | undefined => UNIT.exec(schema.description ?? '')?.[1];

/** The description without unit and default, for places that show those on their own. */
export const proseOf = (schema: Schema): string =>
  (schema.description ?? '').replace(UNIT, '').replace(DEFAULT, '').replace(/\s+/g, ' ').trim();
