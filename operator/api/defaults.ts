// Fills in defaults exactly as the API server does, so that a resource means the same in local mode: first a null
// whose field has no default disappears, then a field that is missing or null takes its default, parents before
// children (so a default {} is filled from the fields within it).

import type { Schema } from './schema.ts';

/** A deep copy of `value` with defaults. Never fails: what does not fit the schema is left for the checks to find. */
export function withDefaults(value: unknown, schema: Schema): unknown {
  if (Array.isArray(value)) return value.map((item) => (schema.items ? withDefaults(item, schema.items) : item));
  if (!isObject(value)) return value;
  const given = Object.entries(value).flatMap(([name, field]): [string, unknown][] => {
    const property = propertyOf(schema, name);
    if (property === undefined) return [[name, field]];
    return field === null ? [] : [[name, withDefaults(field, property)]];
  });
  const present = new Set(given.map(([name]) => name));
  const missing = Object.entries(schema.properties ?? {}).flatMap(([name, property]): [string, unknown][] =>
    present.has(name) || property.default === undefined ? [] : [[name, withDefaults(property.default, property)]],
  );
  return Object.fromEntries([...given, ...missing]);
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The schema of a field, or undefined if the field is unknown. Safe for names such as `constructor`. */
export const propertyOf = (schema: Schema, name: string): Schema | undefined =>
  schema.properties !== undefined && Object.hasOwn(schema.properties, name)
    ? schema.properties[name]
    : schema.additionalProperties;
