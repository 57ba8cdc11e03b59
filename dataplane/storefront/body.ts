// Parses the bodies of requests. It is exact: an unknown field or a wrong type is refused in a sentence that says what
// to write instead, so that a mistake never passes as a default. Pure.

import type { Refusal } from '../protocol/problems.ts';
import type { Units } from '../protocol/units.ts';

/** No sale takes more in one purchase, whatever its rules: keeps sums far from where numbers stop being whole. */
export const MAX_QUANTITY: Units = 1_000_000;

const malformed = (what: string): Refusal => ({ problem: 'malformed', parameters: { what } });

/** What a client sent, shortened, in quotes, for a sentence. */
const quoted = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
};

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return `${typeof value === 'object' ? 'an' : 'a'} ${typeof value}`;
}

/** The object with at most the one field it may have. */
function parse(text: string, field: string, example: string): Record<string, unknown> | Refusal {
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
const isRefusal = (value: Record<string, unknown> | Refusal): value is Refusal => 'problem' in value;

/** Nearly all buyers of a sale send the same few characters: the last ones that were right. */
const last = { text: '{"quantity":1}', quantity: 1 };

/** `{"quantity":1}`; nothing at all means one unit. */
export function purchaseBody(text: string): Units | Refusal {
  if (text === last.text) return last.quantity;
  if (text === '') return 1;
  const body = parse(text, 'quantity', '{"quantity":1}');
  if (isRefusal(body)) return body;
  const { quantity = 1 } = body;
  if (typeof quantity !== 'number') return malformed(`"quantity" must be a whole number, not ${typeOf(quantity)}.`);
  if (quantity < 0) return malformed(`"quantity" must be at least 1; it was negative.`);
  if (quantity === 0) return malformed(`"quantity" must be at least 1; it was 0.`);
  if (quantity > MAX_QUANTITY) return malformed(`"quantity" must be at most ${MAX_QUANTITY}.`);
  if (!Number.isInteger(quantity)) return malformed(`"quantity" must be a whole number; ${quantity} is not.`);
  last.text = text;
  last.quantity = quantity;
  return quantity;
}

/** `{"token":"…"}`. */
export const checkoutBody = (text: string): string | Refusal =>
  textField(text, 'token', '{"token":"fs1.…"}', /^[\s\S]+$/, 'must not be empty');

/** `{"paymentId":"…"}`. */
export const payBody = (text: string): string | Refusal =>
  textField(text, 'paymentId', '{"paymentId":"pay-1"}', VISIBLE, 'must have 1 to 128 visible ASCII characters');

/** Names that other systems give: no spaces, no control characters, bounded. OpenID Connect's `sub` is ASCII, too. */
export const VISIBLE = /^[!-~]{1,128}$/;

function textField(text: string, field: string, example: string, form: RegExp, rule: string): string | Refusal {
  const body = parse(text, field, example);
  if (isRefusal(body)) return body;
  const value = body[field];
  if (value === undefined) return malformed(`"${field}" is missing; write for example ${example}.`);
  if (typeof value !== 'string') return malformed(`"${field}" must be a string, not ${typeOf(value)}.`);
  return form.test(value) ? value : malformed(`"${field}" ${rule}.`);
}
