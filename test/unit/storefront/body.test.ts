import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkoutBody, payBody, purchaseBody } from '../../../dataplane/storefront/body.ts';

const detail = (refused: unknown) => (refused as { parameters: { what: string } }).parameters.what;

describe('the body of a purchase', () => {
  test.each([
    ['', 1],
    ['{}', 1],
    ['{"quantity":1}', 1],
    [' {"quantity" : 3.0} ', 3],
    ['{"quantity":1e2}', 100],
    ['{"quantity":1000000}', 1_000_000],
  ])('%j asks for %i', (text, units) => {
    expect(purchaseBody(text)).toBe(units);
  });

  test.each([
    ['{"quantity":', 'The body is not JSON; write for example {"quantity":1}.'],
    ['quantity=1', 'The body is not JSON; write for example {"quantity":1}.'],
    ['null', 'The body must be a JSON object, not null; write for example {"quantity":1}.'],
    ['[1]', 'The body must be a JSON object, not an array; write for example {"quantity":1}.'],
    ['3', 'The body must be a JSON object, not a number; write for example {"quantity":1}.'],
    ['"1"', 'The body must be a JSON object, not a string; write for example {"quantity":1}.'],
    ['{"quantity":1,"colour":"red"}', 'There is no field "colour" here; the only field is "quantity".'],
    ['{"Quantity":1}', 'There is no field "Quantity" here; the only field is "quantity".'],
    ['{"__proto__":{}}', 'There is no field "__proto__" here; the only field is "quantity".'],
    ['{"problem":"sold-out"}', 'There is no field "problem" here; the only field is "quantity".'],
    ['{"quantity":"1"}', '"quantity" must be a whole number, not a string.'],
    ['{"quantity":null}', '"quantity" must be a whole number, not null.'],
    ['{"quantity":true}', '"quantity" must be a whole number, not a boolean.'],
    ['{"quantity":[1]}', '"quantity" must be a whole number, not an array.'],
    ['{"quantity":{}}', '"quantity" must be a whole number, not an object.'],
    ['{"quantity":-1}', '"quantity" must be at least 1; it was negative.'],
    ['{"quantity":0}', '"quantity" must be at least 1; it was 0.'],
    ['{"quantity":-0}', '"quantity" must be at least 1; it was 0.'],
    ['{"quantity":1.5}', '"quantity" must be a whole number; 1.5 is not.'],
    ['{"quantity":1000001}', '"quantity" must be at most 1000000.'],
    ['{"quantity":1e400}', '"quantity" must be at most 1000000.'],
  ])('%s is refused in words of its own', (text, what) => {
    expect(purchaseBody(text)).toEqual({ problem: 'malformed', parameters: { what } });
  });

  test('is what it says, whatever was said before', () => {
    const said = ['{"quantity":2}', '{"quantity":2}', '{"quantity":3}', '{"quantity":2}', '', '{"quantity":2}'];
    expect(said.map(purchaseBody)).toEqual([2, 2, 3, 2, 1, 2]);
  });

  test('a long field name is shortened in the answer', () => {
    expect(detail(purchaseBody(`{"${'x'.repeat(3000)}":1}`)).length).toBeLessThan(120);
  });

  test('whatever is sent gives a quantity or a refusal, and never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        const body = purchaseBody(text);
        if (typeof body === 'number') expect(Number.isInteger(body) && body >= 1 && body <= 1_000_000).toBe(true);
        else expect(body.problem).toBe('malformed');
      }),
    );
  });
});

describe('the body of a checkout', () => {
  test('is a token', () => {
    expect(checkoutBody('{"token":"fs1.x"}')).toBe('fs1.x');
  });

  test.each([
    ['', 'The body is not JSON; write for example {"token":"fs1.…"}.'],
    ['{}', '"token" is missing; write for example {"token":"fs1.…"}.'],
    ['{"token":1}', '"token" must be a string, not a number.'],
    ['{"token":null}', '"token" must be a string, not null.'],
    ['{"token":""}', '"token" must not be empty.'],
    ['{"token":"x","quantity":1}', 'There is no field "quantity" here; the only field is "token".'],
  ])('%s is refused in words of its own', (text, what) => {
    expect(checkoutBody(text)).toEqual({ problem: 'malformed', parameters: { what } });
  });
});

describe('the body of a payment', () => {
  test('is a payment id of visible characters', () => {
    expect(payBody('{"paymentId":"pay_1"}')).toBe('pay_1');
    const what = '"paymentId" must have 1 to 128 visible ASCII characters.';
    for (const id of ['', 'a b', 'é', 'x'.repeat(129), '\n'])
      expect(payBody(JSON.stringify({ paymentId: id }))).toEqual({ problem: 'malformed', parameters: { what } });
  });
});
