// Parses the bodies that buyers send. Pure.

import { isRefusal, malformed, parse, textField, typeOf, VISIBLE } from '../http/json-body.ts';
import type { Refusal } from '../protocol/problems.ts';
import type { Units } from '../protocol/units.ts';

/** No sale takes more in one purchase, whatever its rules: keeps sums far from where numbers stop being whole. */
export const MAX_QUANTITY: Units = 1_000_000;

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
