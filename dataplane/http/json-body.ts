// Parses JSON bodies of requests. It is exact: an unknown field or a wrong type is refused in a sentence that says what
// to write instead, so that a mistake never passes as a default. Pure.

import type { Refusal } from '../protocol/problems.ts';

/** Makes the refusal of a body; `what` is a sentence that says what to write instead. */
export const malformed = (what: string): Refusal => ({ problem: 'malformed', parameters: { what } });

/** What a client sent, shortened, in quotes, for a sentence. */
const quoted = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
};

/** Names a JSON value's type with its article, for a sentence. */
export function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return `${typeof value === 'object' ? 'an' : 'a'} ${typeof value}`;
}

/** Parses a JSON object with at most the one field that it may have. */
export function parse(text: string, field: string, example: string): Record<string, unknown> | Refusal {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return malformed(`The body is not JSON; write for example ${example}.`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return malformed(`The body must be a JSON object, not ${typeOf(value)}; write for example ${example}.`);
  for (const name in value)
    if (name !== field) return malformed(`There is no field ${quoted(name)} here; the only field is "${field}".`);
  return value as Record<string, unknown>;
}

/** A refusal has a `problem`; no body does, as that is no field of any. */
export const isRefusal = (value: object): value is Refusal => 'problem' in value;

/** Names that other systems give: no spaces, no control characters, bounded. OpenID Connect's `sub` is ASCII, too. */
export const VISIBLE = /^[!-~]{1,128}$/;

/** Parses a JSON object whose one field is a text of the given form; `rule` is said when it is not. */
export function textField(text: string, field: string, example: string, form: RegExp, rule: string): string | Refusal {
  const body = parse(text, field, example);
  if (isRefusal(body)) return body;
  const value = body[field];
  if (value === undefined) return malformed(`"${field}" is missing; write for example ${example}.`);
  if (typeof value !== 'string') return malformed(`"${field}" must be a string, not ${typeOf(value)}.`);
  return form.test(value) ? value : malformed(`"${field}" ${rule}.`);
}
