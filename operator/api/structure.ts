// Checks an object against the schema's structure (types, limits, enumerations, required and unknown fields) and says
// for each mistake what to write instead. Unknown fields are mistakes, as they are for `kubectl apply`. CEL rules are
// checked in rules.ts.

import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { isObject, propertyOf } from './defaults.ts';
import { type Finding, type Path, renderPath, shown } from './findings.ts';
import { nodes, proseOf, type Schema, unitOf } from './schema.ts';
import { nearest } from './suggest.ts';

const ajv = new Ajv({ allErrors: true, verbose: true, allowUnionTypes: true });
const compiled = new WeakMap<Schema, ValidateFunction>();

/** Returns at most one mistake for each place, in the schema's order. It never throws. */
export function structureFindings(object: unknown, schema: Schema): Finding[] {
  const check = compiled.get(schema) ?? ajv.compile(jsonSchema(schema));
  compiled.set(schema, check);
  check(object);
  const found = new Map<string, Finding & { type: boolean }>();
  for (const error of check.errors ?? []) {
    const finding = { ...findingOf(error, schema), type: error.keyword === 'type' };
    const place = renderPath(finding.at);
    const known = found.get(place);
    // A value of the wrong type breaks other limits, too; the type is what is wrong.
    if (known === undefined || (finding.type && !known.type)) found.set(place, finding);
  }
  return [...found.values()].map(({ at, message }) => ({ at, message }));
}

/** The schema in JSON Schema's words. A keyword this file does not know is an error here, not a check left out. */
function jsonSchema(schema: Schema): Record<string, unknown> {
  const {
    description: _description,
    default: _default,
    format: _format,
    properties,
    additionalProperties,
    items,
    'x-kubernetes-int-or-string': intOrString,
    'x-kubernetes-list-type': listType,
    'x-kubernetes-list-map-keys': _keys,
    'x-kubernetes-validations': _rules,
    ...rest
  } = schema;
  const result: Record<string, unknown> = { ...rest };
  if (intOrString) Object.assign(result, { type: ['integer', 'string'] });
  if (listType === 'set') result.uniqueItems = true;
  if (items !== undefined) result.items = jsonSchema(items);
  if (properties !== undefined) {
    result.properties = Object.fromEntries(Object.entries(properties).map(([name, s]) => [name, jsonSchema(s)]));
  }
  if (schema.type === 'object') {
    result.additionalProperties = additionalProperties === undefined ? false : jsonSchema(additionalProperties);
  }
  return result;
}

function findingOf(error: ErrorObject, root: Schema): Finding {
  const at = error.instancePath.split('/').slice(1).map(decode);
  const { path, schema } = resolve(root, at);
  const value: unknown = error.data;
  switch (error.keyword) {
    case 'required': {
      const name = String(error.params.missingProperty);
      const [meaning] = proseOf(propertyOf(schema, name) ?? {}).split(/(?<=\.) /);
      return { at: [...path, name], message: `is required. ${meaning ?? ''}`.trim() };
    }
    case 'additionalProperties':
      return unknownField(root, path, schema, String(error.params.additionalProperty));
    case 'uniqueItems': {
      const position = Math.max(Number(error.params.i), Number(error.params.j));
      const item = Array.isArray(value) ? value[position] : undefined;
      return { at: [...path, position], message: `is a duplicate of another item, ${shown(item)}; remove one` };
    }
    default:
      return { at: path, message: messageOf(error, schema, value) };
  }
}

function messageOf(error: ErrorObject, schema: Schema, value: unknown): string {
  const { limit } = error.params;
  const has = Array.isArray(value) ? value.length : typeof value === 'string' ? [...value].length : 0;
  switch (error.keyword) {
    case 'type':
      return `must be ${typeName(schema)}, got ${shown(value)}${schema.type === 'string' && !isObject(value) && !Array.isArray(value) ? '; put it in quotes' : ''}`;
    case 'enum': {
      const values = schema.enum ?? [];
      const meant = typeof value === 'string' ? nearest(value, values) : undefined;
      const choice = values.length === 1 ? `must be ${values[0]}` : `must be one of ${values.join(', ')}`;
      return `${choice}, got ${shown(value)}${meant === undefined || values.length === 1 ? '' : `; did you mean ${meant}?`}`;
    }
    case 'minimum':
      return `must be at least ${amount(limit, unitOf(schema))}, got ${shown(value)}`;
    case 'maximum':
      return `must be at most ${amount(limit, unitOf(schema))}, got ${shown(value)}`;
    case 'minLength':
      return `must be at least ${amount(limit, 'characters')} long, has ${has}`;
    case 'maxLength':
      return `must be at most ${amount(limit, 'characters')} long, has ${has}`;
    case 'minItems':
      return `must have at least ${amount(limit, 'items')}, has ${has}`;
    case 'maxItems':
      return `must have at most ${amount(limit, 'items')}, has ${has}`;
    default:
      return `${error.message ?? error.keyword}, got ${shown(value)}`;
  }
}

function unknownField(root: Schema, path: Path, schema: Schema, name: string): Finding {
  const fields = Object.keys(schema.properties ?? {});
  const meant = nearest(name, fields);
  const elsewhere = [...nodes(root)].find((node) => node.path[0] === 'spec' && node.path.at(-1) === name)?.path;
  const advice =
    meant !== undefined
      ? `did you mean ${meant}?`
      : elsewhere !== undefined
        ? `did you mean ${elsewhere.join('.').replaceAll('.[]', '[]')}?`
        : `the fields here are ${fields.join(', ')}`;
  return { at: [...path, name], message: `unknown field; ${advice}` };
}

function typeName(schema: Schema): string {
  if (schema['x-kubernetes-int-or-string']) return 'a quantity';
  switch (schema.type) {
    case 'object':
      return schema.properties === undefined
        ? 'a mapping of names to texts'
        : `a mapping with ${Object.keys(schema.properties).slice(0, 3).join(', ')}, …`;
    case 'array':
      return 'a list (each item on a line of its own, after "- ")';
    case 'string':
      return 'a text';
    case 'integer':
      return `a whole number${unitOf(schema) === undefined ? '' : ` of ${unitOf(schema)}`}`;
    case 'number':
      return 'a number';
    default:
      return 'true or false';
  }
}

const amount = (n: unknown, unit: string | undefined): string => {
  if (unit === undefined || unit.startsWith('fraction')) return String(n);
  return `${n} ${n === 1 ? unit.replace(/s\b/, '') : unit}`;
};

const decode = (part: string): string => part.replaceAll('~1', '/').replaceAll('~0', '~');

/** Turns a JSON pointer's parts into a path (positions as numbers) and finds the schema there. */
function resolve(root: Schema, parts: readonly string[]): { path: Path; schema: Schema } {
  const path: (string | number)[] = [];
  let schema = root;
  for (const part of parts) {
    if (schema.items !== undefined) {
      path.push(Number(part));
      schema = schema.items;
    } else {
      path.push(part);
      schema = propertyOf(schema, part) ?? {};
    }
  }
  return { path, schema };
}
