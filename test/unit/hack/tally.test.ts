import { describe, expect, test } from 'vitest';
import { lastLine, sum, tallyCheck, tallyVitest, type VitestReport } from '../../../hack/lib/tally.ts';

const report = (passed: number, failed = 0, files: VitestReport['testResults'] = []): VitestReport => ({
  numPassedTests: passed,
  numFailedTests: failed,
  numPendingTests: 0,
  numTodoTests: 0,
  testResults: files,
});
const brokenFile = { status: 'failed', assertionResults: [] };
const failedTest = { status: 'failed', assertionResults: [{ status: 'failed' }] };

describe('a test run', () => {
  test.each<[string, number | null, VitestReport | undefined, number, number]>([
    ['counts what passed', 0, report(7), 7, 0],
    ['counts what failed', 1, report(6, 1, [failedTest]), 6, 1],
    ['counts a file that could not be loaded as one failure', 1, report(6, 0, [brokenFile]), 6, 1],
    ['counts both kinds of failure', 1, report(6, 1, [failedTest, brokenFile]), 6, 2],
    ['fails when it ended badly although every test passed', 1, report(7), 7, 1],
    ['fails when a signal ended it', null, report(7), 7, 1],
    ['fails when it left no report', 1, undefined, 0, 1],
    ['fails when it left no report and said all was well', 0, undefined, 0, 1],
    ['fails when not a single test ran', 0, { ...report(0), numPendingTests: 3 }, 0, 1],
  ])('%s', (_, exitCode, given, passed, failed) => {
    expect(tallyVitest(exitCode, given)).toMatchObject({ passed, failed });
  });

  test('counts tests to be written as skipped', () => {
    expect(tallyVitest(0, { ...report(1), numPendingTests: 2, numTodoTests: 1 }).skipped).toBe(3);
  });
});

test('a check passes only with exit code 0', () => {
  expect([0, 1, null].map((code) => tallyCheck(code).failed)).toEqual([0, 1, 1]);
});

test('the last line is the sum, and names skipped tests only when there are any', () => {
  const total = sum([
    { passed: 1, failed: 0, skipped: 0 },
    { passed: 2, failed: 1, skipped: 0 },
  ]);
  expect(lastLine(total)).toBe('3 passed, 1 failed');
  expect(lastLine({ ...total, skipped: 4 })).toBe('3 passed, 1 failed, 4 skipped');
});
