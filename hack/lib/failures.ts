// A Vitest reporter: what failed and why, appended to the file that FLASHSALE_FAILURES names. run-tests.ts prints it at the
// very end, for whoever reads only the last page of a long output has to find it there.

import { appendFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestCase, TestModule, TestSuite } from 'vitest/node';

interface Failure {
  message: string;
  stack?: string;
  diff?: string;
}

const MOST_LINES = 40;

/** Describes the failure of one test or file: where, what, the difference where there is one, and the frames of our own code. */
export function failureText(where: string, failures: readonly Failure[]): string {
  const lines = failures.flatMap(({ message, stack, diff }) => {
    const frames = stack
      ?.split('\n')
      .filter((line) => /^\s+at /.test(line) && !/node_modules|node:|new Promise/.test(line));
    return [...message.split('\n'), ...(diff?.split('\n') ?? []), ...(frames ?? []).map((frame) => frame.trim())];
  });
  const told = lines.length > MOST_LINES ? [...lines.slice(0, MOST_LINES), '…'] : lines;
  return [`✗ ${where}`, ...told.map((line) => `    ${line}`), ''].join('\n');
}

const nameOf = (it: TestCase | TestSuite) => `${it.module.relativeModuleId}: ${it.fullName}`;

export default class implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const file = process.env.FLASHSALE_FAILURES;
    if (file === undefined) throw new Error('FLASHSALE_FAILURES names no file');
    const tests = modules.flatMap((module) => [...module.children.allTests('failed')]);
    const suites = modules.flatMap((module) => [module, ...module.children.allSuites()]);
    const texts = [
      ...suites.map((suite) => ({
        where: suite.type === 'suite' ? nameOf(suite) : suite.relativeModuleId,
        errors: suite.errors(),
      })),
      ...tests.map((test) => ({ where: nameOf(test), errors: test.result().errors ?? [] })),
      { where: 'outside of any test', errors: unhandled },
    ];
    for (const { where, errors } of texts)
      if (errors.length > 0) appendFileSync(file, `${failureText(where, errors)}\n`);
  }
}
