import { expect, test } from 'vitest';
import { failureText } from '../../../hack/lib/failures.ts';

test('a failure is told by where, what, the difference, and the frames of our own code', () => {
  const error = {
    message: 'expected 1 to be 2',
    diff: '- 2\n+ 1',
    stack:
      'AssertionError: expected 1 to be 2\n    at /repo/test/some.test.ts:3:5\n    at run (/repo/node_modules/vitest/run.js:1:1)',
  };
  expect(failureText('some.test.ts: stock is kept', [error])).toBe(
    '✗ some.test.ts: stock is kept\n    expected 1 to be 2\n    - 2\n    + 1\n    at /repo/test/some.test.ts:3:5\n',
  );
});

test('a long one is cut, and says so', () => {
  const lines = failureText('it', [{ message: 'no\n'.repeat(500) }]).split('\n');
  expect(lines.length).toBeLessThan(50);
  expect(lines.at(-2)).toBe('    …');
});
