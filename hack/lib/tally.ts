// What counts as passed and failed in a test run. Pure: takes what the tools reported, returns numbers. Never lets a
// run that broke down look like one that passed.

export interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

/** The part of Vitest's JSON report that is read here. */
export interface VitestReport {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  testResults: { status: string; assertionResults: { status: string }[] }[];
}

/** A check (types, lint, …) is one claim. `exitCode` is null when a signal ended it. */
export const tallyCheck = (exitCode: number | null): Tally =>
  exitCode === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 };

/**
 * One Vitest run. A file that failed without a failed test in it (it could not be loaded, or a hook failed) counts
 * as one failure; so does a run that ended badly with every test passed (an unhandled error, a crash), one that left
 * no report, and one in which not a single test ran.
 */
export function tallyVitest(exitCode: number | null, report: VitestReport | undefined): Tally {
  if (report === undefined) return { passed: 0, failed: 1, skipped: 0 };
  const brokenFiles = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  ).length;
  const failed = report.numFailedTests + brokenFiles;
  const nothingRan = report.numPassedTests + failed === 0;
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && (exitCode !== 0 || nothingRan) ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

export const sum = (tallies: Tally[]): Tally =>
  tallies.reduce(
    (a, b) => ({ passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped }),
    { passed: 0, failed: 0, skipped: 0 },
  );

/** The last line of a run: others read it. */
export const lastLine = ({ passed, failed, skipped }: Tally): string =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
