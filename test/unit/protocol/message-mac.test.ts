// What a sale believes of what it reads.

import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { keyRing } from '../../../dataplane/protocol/message-mac.ts';

const key = (byte: number) => Buffer.alloc(32, byte).toString('base64');
const [ours, theirs, newer] = [key(1), key(2), key(3)];
const value = Buffer.from('{"source":"s0","term":3}');
const header = keyRing(ours).sign('sale.commands', 's0', value.toString());
const verdict = (
  keys: string,
  topic = 'sale.commands',
  record = 's0',
  bytes = value,
  code: string | undefined = header,
) => keyRing(keys).verify(topic, record, bytes, code);

describe('a message', () => {
  test('is believed when a key of the sale has signed it', () => {
    expect(verdict(ours)).toBe('valid');
    expect(verdict(`${newer}\n${ours}\n`)).toBe('valid');
  });

  test('is not believed without a code, or when another key has signed it', () => {
    expect(keyRing(ours).verify('sale.commands', 's0', value, undefined)).toBe('unsigned');
    expect(verdict(theirs)).toBe('unknown-key');
  });

  test('is not believed once any one byte of it, of its key, its topic or its code is another', () => {
    const ring = keyRing(ours);
    const part = fc.constantFrom('topic', 'key', 'value', 'header');
    fc.assert(
      fc.property(part, fc.nat(), fc.integer({ min: 1, max: 127 }), (which, at, by) => {
        const parts = { topic: 'sale.commands', key: 's0', value: value.toString(), header };
        const bytes = Buffer.from(parts[which as keyof typeof parts]);
        bytes[at % bytes.length] = ((bytes[at % bytes.length] ?? 0) ^ by) & 127;
        const altered = { ...parts, [which]: bytes.toString() };
        expect(ring.verify(altered.topic, altered.key, Buffer.from(altered.value), altered.header)).not.toBe('valid');
      }),
    );
  });

  test('is judged without an error whatever stands where its code should', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => keyRing(ours).verify('t', 'k', value, text) !== 'valid'),
    );
  });
});

describe('a ring of keys', () => {
  test('signs with the first and accepts all', () => {
    const both = keyRing(`${newer}\n${ours}`);
    expect(both.sign('t', 'k', 'v').slice(0, 8)).toBe(keyRing(newer).sign('t', 'k', 'v').slice(0, 8));
    expect(both.verify('t', 'k', Buffer.from('v'), keyRing(ours).sign('t', 'k', 'v'))).toBe('valid');
  });

  test.each([
    ['none', ''],
    ['one that is short', Buffer.alloc(31, 1).toString('base64')],
    ['a short second one', `${ours}\nabc`],
  ])('refuses %s and says what to write, without saying what was there', (_, text) => {
    expect(() => keyRing(text)).toThrow('openssl rand -base64 32');
    if (text) expect(() => keyRing(text)).not.toThrow(text);
  });
});

test('openssl makes the same code, so that whoever reads the orders can verify them with any tool', () => {
  const hex = Buffer.from(ours, 'base64').toString('hex');
  const said = execFileSync('openssl', ['dgst', '-sha256', '-mac', 'HMAC', '-macopt', `hexkey:${hex}`], {
    input: `sale.commands\ns0\n${value}`,
  });
  expect(said.toString().trim().endsWith(header.slice(9))).toBe(true);
});
