// Evaluates the CEL rules of the schema as the API server does: on every present value, parents first; a rule that
// names oldSelf only where there was a value before. The API server computes in nanoseconds and this in milliseconds;
// the schema admits nothing finer.

import { Environment, type ParseResult } from '@marcbachmann/cel-js';
import { isObject, propertyOf } from './defaults.ts';
import { type Finding, isWithin, type Path, shown } from './findings.ts';
import { parseQuantity } from './scalars.ts';
import { guardsChange, type Rule, type Schema } from './schema.ts';

class Quantity {
  readonly numerator: bigint;
  readonly denominator: bigint;
  constructor(text: string) {
    const parsed = parseQuantity(text);
    if (parsed === undefined) throw new RangeError(`not a quantity: ${text}`);
    this.numerator = parsed.numerator;
    this.denominator = parsed.denominator;
  }
  minus(other: Quantity): bigint {
    return this.numerator * other.denominator - other.numerator * this.denominator;
  }
}

const sign = (n: bigint): bigint => (n > 0n ? 1n : n < 0n ? -1n : 0n);

/** CEL with the part of Kubernetes' quantity library that the rules use. */
const environment = new Environment()
  .registerVariable('self', 'dyn')
  .registerVariable('oldSelf', 'dyn')
  .registerType('Quantity', Quantity)
  .registerFunction('quantity(string): Quantity', (text: string) => new Quantity(text))
  .registerFunction('isQuantity(string): bool', (text: string) => parseQuantity(text) !== undefined)
  .registerFunction('Quantity.compareTo(Quantity): int', (a: Quantity, b: Quantity) => sign(a.minus(b)))
  .registerFunction('Quantity.isGreaterThan(Quantity): bool', (a: Quantity, b: Quantity) => a.minus(b) > 0n);

const parsed = new Map<string, ParseResult>();

function program(rule: Rule): ParseResult {
  const known = parsed.get(rule.rule);
  if (known !== undefined) return known;
  const program = environment.parse(rule.rule);
  parsed.set(rule.rule, program);
  return program;
}

/**
 * The rules `object` breaks, given the mistakes of structure already found in it. A rule keeps quiet where its target
 * is itself mistaken or has a wrong set of fields, or where a field it reads is mistaken: that is told already. `old` is
 * the object before the change, if any.
 */
export function ruleFindings(object: unknown, old: unknown, schema: Schema, mistakes: readonly Finding[]): Finding[] {
  const found: Finding[] = [];
  visit(object, old, schema, [], mistakes, found);
  return found;
}

/** Children first, so that a rule over several of them knows which are mistaken. */
function visit(
  value: unknown,
  old: unknown,
  schema: Schema,
  path: Path,
  mistakes: readonly Finding[],
  found: Finding[],
): void {
  // Only fields, not list items, can be matched with what they were, so no rule within a list guards a change.
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) visit(item, undefined, schema.items ?? {}, [...path, i], mistakes, found);
  } else if (isObject(value)) {
    for (const [name, property] of Object.entries(schema.properties ?? {})) {
      if (value[name] === undefined) continue;
      visit(value[name], isObject(old) ? old[name] : undefined, property, [...path, name], mistakes, found);
    }
  }
  // What should be an object and is none has no fields to judge.
  if (schema.type === 'object' && !isObject(value)) return;
  for (const rule of schema['x-kubernetes-validations'] ?? []) {
    if (guardsChange(rule) && old === undefined) continue;
    const target = [...path, ...(rule.fieldPath?.split('.').slice(1) ?? [])];
    const reads = readsOf(rule).map((read) => [...path, ...read]);
    const mistaken = [...mistakes, ...found].some(
      ({ at }) => at.length > path.length && reads.some((read) => isWithin(read, at)),
    );
    if (mistaken || mistakes.some(({ at }) => isWithin(at, target) && at.length <= target.length + 1)) continue;
    if (!holds(rule, value, old, schema)) found.push({ at: target, message: message(rule, value, old) });
  }
}

/** The fields whose values a rule reads; whether one is there at all can be told of a mistaken one, too. */
const readsOf = ({ rule }: Rule): Path[] =>
  [...rule.replace(/\bhas\([^)]*\)/g, '').matchAll(/\bself((?:\.\w+)+)/g)].map(([, read = '']) =>
    read.split('.').slice(1),
  );

/** A rule that cannot be evaluated does not hold, as in the API server. */
function holds(rule: Rule, value: unknown, old: unknown, schema: Schema): boolean {
  try {
    return program(rule)({ self: celValue(value, schema), oldSelf: celValue(old, schema) }) === true;
  } catch {
    return false;
  }
}

function message(rule: Rule, value: unknown, old: unknown): string {
  const field = rule.fieldPath?.slice(1).split('.') ?? [];
  const got = at(value, field);
  if (got === undefined || typeof got === 'object') return rule.message;
  const was = guardsChange(rule) ? ` where it was ${shown(at(old, field))}` : '';
  return `${rule.message}, got ${shown(got)}${was}`;
}

const at = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((inner, name) => (isObject(inner) ? inner[name] : undefined), value);

/** A JSON value as CEL sees it by its schema: whole numbers are ints. */
function celValue(value: unknown, schema: Schema): unknown {
  if (Array.isArray(value)) return value.map((item) => celValue(item, schema.items ?? {}));
  if (isObject(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([name, field]) => [name, celValue(field, propertyOf(schema, name) ?? {})]),
    );
  }
  if (typeof value === 'number' && Number.isInteger(value) && schema.type !== 'number') return BigInt(value);
  return value;
}
