import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  isProblemCode,
  PROBLEM_CODES,
  PROBLEMS,
  problemDocument,
  retryAfterOf,
  statusOf,
} from '../../../dataplane/protocol/problems.ts';

const page = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
const sections = new Map(
  page
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf('\n')), section]),
);

describe('the registry of problems', () => {
  test('has a section in docs/errors.md for every code, in its order, and no other section', () => {
    expect([...sections.keys()]).toEqual(PROBLEM_CODES);
  });

  test.each(PROBLEM_CODES)('%s: the page states its status and what to do', (code) => {
    expect(sections.get(code)).toContain(`\n**${PROBLEMS[code].status}.** `);
    expect(sections.get(code)).toContain('\n**Do:** ');
  });

  test.each(PROBLEM_CODES)(
    '%s: a client that is told to retry is told when, by the registry or by the caller',
    (code) => {
      const { advice, status } = PROBLEMS[code];
      if (advice === 'retry') expect([403, 408, 429, 503]).toContain(status);
      if (status === 503) expect(retryAfterOf({ problem: code })).toBeGreaterThanOrEqual(1);
    },
  );

  test('fills the detail in from the parameters, and leaves no place empty unnoticed', () => {
    expect(problemDocument({ problem: 'quantity-limit', parameters: { maxQuantity: 2, quantity: 5 } })).toEqual({
      type: 'https://flashsale.dev/problems/quantity-limit',
      title: 'Too many units in one purchase',
      status: 403,
      detail: 'One purchase may ask for at most 2; this one asked for 5.',
    });
    expect(problemDocument({ problem: 'closed' }).detail).toContain('{closesAt}');
  });

  test('rounds Retry-After up to whole seconds, at least one', () => {
    expect(retryAfterOf({ problem: 'unavailable', retryAfter: 0.2 })).toBe(1);
    expect(retryAfterOf({ problem: 'rate-limited', retryAfter: 2.1 })).toBe(3);
    expect(retryAfterOf({ problem: 'sold-out' })).toBeUndefined();
  });

  test('knows its own codes', () => {
    expect(isProblemCode('sold-out')).toBe(true);
    expect(isProblemCode('constructor')).toBe(false);
    expect(statusOf({ problem: 'token-expired' })).toBe(410);
  });
});
