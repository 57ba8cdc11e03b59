// Evaluates the CEL rules of the schema as the API server does: on every present value, parents first; a rule that
// names oldSelf only where there was a value before. The API server computes in nanoseconds and this in milliseconds;
// the schema admits nothing finer.

import { Environment, type ParseResult } from '@marcbachmann/cel-js';
import { isObject, propertyOf } from './defaults.ts';
import { type Finding, isWithin, type Path, shown } from './findings.ts';
import { parseQuantity, parseTimestamp } from './scalars.ts';
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
 * The rules `object` breaks, given the mistakes of structure already found in it: where a value has such a mistake, a
 * rule about it would only repeat that. `old` is the object before the change, if any.
 */
export function ruleFindings(object: unknown, old: unknown, schema: Schema, mistakes: readonly Finding[]): Finding[] {
  return [...visit(object, old, schema, [], mistakes)];
}

function* visit(
  value: unknown,
  old: unknown,
  schema: Schema,
  path: Path,
  mistakes: readonly Finding[],
): Generator<Finding> {
  for (const rule of schema['x-kubernetes-validations'] ?? []) {
    const target = [...path, ...(rule.fieldPath?.split('.').slice(1) ?? [])];
    // A value that is itself mistaken, or has a wrong set of fields, is told so once.
    if (mistakes.some(({ at }) => isWithin(at, target) && at.length <= target.length + 1)) continue;
    if (guardsChange(rule) && old === undefined) continue;
    const verdict = evaluate(rule, value, old, schema);
    // A value the rule also reads may be mistaken; then there is nothing to say about this one yet.
    if (verdict === 'failed' && mistakes.some((mistake) => isWithin(mistake.at, path))) continue;
    if (verdict !== true) yield { at: target, message: message(rule, value, old) };
  }
  // Only fields, not list items, can be matched with what they were, so no rule within a list guards a change.
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) yield* visit(item, undefined, schema.items ?? {}, [...path, i], mistakes);
  } else if (isObject(value)) {
    for (const [name, property] of Object.entries(schema.properties ?? {})) {
      if (value[name] === undefined) continue;
      yield* visit(value[name], isObject(old) ? old[name] : undefined, property, [...path, name], mistakes);
    }
  }
}

function evaluate(rule: Rule, value: unknown, old: unknown, schema: Schema): boolean | 'failed' {
  try {
    return program(rule)({ self: celValue(value, schema), oldSelf: celValue(old, schema) }) === true;
  } catch {
    return 'failed';
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

/** A JSON value as CEL sees it by its schema: whole numbers are ints, date-times are timestamps. */
function celValue(value: unknown, schema: Schema): unknown {
  if (Array.isArray(value)) return value.map((item) => celValue(item, schema.items ?? {}));
  if (isObject(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([name, field]) => [name, celValue(field, propertyOf(schema, name) ?? {})]),
    );
  }
  if (typeof value === 'number' && Number.isInteger(value) && schema.type !== 'number') return BigInt(value);
  if (typeof value === 'string' && schema.format === 'date-time') return new Date(parseTimestamp(value));
  return value;
}
