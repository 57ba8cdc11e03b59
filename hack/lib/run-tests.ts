// What hack/test runs once everything is installed: the checks, then the test projects one after another, then the
// sum. Decides nothing about what passed (tally.ts does), and leaves no process behind when it is interrupted.

import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Millis } from '../../dataplane/protocol/units.ts';
import { stopTree } from './process-tree.ts';
import { lastLine, sum, type Tally, tallyCheck, tallyVitest, type VitestReport } from './tally.ts';
import { planOf, type TestRun } from './test-plan.ts';
import { durationText, parseTimes, slowestText } from './times.ts';

const root = join(import.meta.dirname, '..', '..');
const checks = [
  { name: 'types', command: ['tsc', '--noEmit'] },
  { name: 'types of the console’s page', command: ['tsc', '--noEmit', '--project', 'operator/console/page'] },
  { name: 'format and lint', command: ['biome', 'check'] },
  { name: 'dead code', command: ['knip'] },
];

let running: number | undefined;
let interrupted: NodeJS.Signals | undefined;

/**
 * Exit code, or null when it was ended by a signal or could not be started. The program is one of our packages', or is
 * named by its path.
 */
function run(name: string, command: string[], env: Record<string, string> = {}): Promise<number | null> {
  console.log(`\n── ${name}: ${command.join(' ')}`);
  const [program = '', ...args] = command;
  // A process group of its own: Ctrl-C reaches only this program, which then ends the whole tree in order.
  const child = spawn(program.includes('/') ? program : join(root, 'node_modules', '.bin', program), args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
  });
  running = child.pid;
  return new Promise((resolve) => {
    child.once('error', (error) => {
      console.error(`cannot start ${program}: ${error.message}`);
      resolve(null);
    });
    child.once('exit', (code) => resolve(code));
  }).finally(() => {
    running = undefined;
  }) as Promise<number | null>;
}

const nameOf = ({ project, on }: TestRun): string => `${project} tests${on === undefined ? '' : ` on ${on}`}`;

async function runTests(tests: TestRun, within: string[] = []): Promise<Tally> {
  const { project, files } = tests;
  const env = { ...tests.env, ...(tests.on === undefined ? {} : { FLASHSALE_POSTGRES_BIN: postgres18() }) };
  const report = join(reports, `${nameOf(tests)}.json`);
  const vitest = within.length > 0 ? 'node_modules/.bin/vitest' : 'vitest';
  // A file of the cluster takes many minutes: there each test is told when it ends.
  const reporters = [
    project === 'cluster' ? 'verbose' : 'default',
    'json',
    './hack/lib/failures.ts',
    './hack/lib/times.ts',
  ];
  const exitCode = await run(
    nameOf(tests),
    [
      ...within,
      ...[vitest, 'run', ...files, '--project', project, '--allowOnly=false', `--outputFile.json=${report}`],
      ...reporters.map((reporter) => `--reporter=${reporter}`),
    ],
    env,
  );
  return tallyVitest(
    exitCode,
    existsSync(report) ? (JSON.parse(readFileSync(report, 'utf8')) as VitestReport) : undefined,
  );
}

/** PostgreSQL refuses to run as root, and the user it runs as then may not enter the cache of root: it gets a copy. */
function postgres18(): string {
  const folder = join(reports, 'postgres-18');
  if (!existsSync(folder)) {
    chmodSync(reports, 0o755);
    cpSync(process.env.FLASHSALE_POSTGRES_18 ?? '', folder, { recursive: true, verbatimSymlinks: true });
  }
  return join(folder, 'bin');
}

/** The tests of the cluster run in its network. One that was not there before goes away again. */
async function runInCluster(tests: TestRun): Promise<Tally> {
  const program = 'hack/cluster';
  const there = spawnSync(program, ['kubeconfig'], { cwd: root, stdio: 'ignore' }).status === 0;
  try {
    for (const command of ['up', 'load']) {
      if ((await run('cluster', [program, command])) !== 0) return { passed: 0, failed: 1, skipped: 0 };
    }
    return await runTests(tests, [program, 'exec', '--']);
  } finally {
    if (!there) await run('cluster', [program, 'down']);
  }
}

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    interrupted ??= name;
    if (running !== undefined) void stopTree(running, 10_000);
  });
}

const plan = planOf(process.argv[2]);
const results: { name: string; tally: Tally; took: Millis }[] = [];
const reports = mkdtempSync(join(tmpdir(), 'flashsale-test-'));
const written = { failures: join(reports, 'failures.txt'), times: join(reports, 'times.jsonl') };
for (const file of Object.values(written)) writeFileSync(file, '');
process.env.FLASHSALE_FAILURES = written.failures;
process.env.FLASHSALE_TIMES = written.times;

async function record(name: string, work: () => Promise<Tally>): Promise<void> {
  if (interrupted !== undefined) return;
  const begun = performance.now();
  const tally = await work();
  results.push({ name, tally, took: performance.now() - begun });
}

let failed = '';
let slowest: string[] = [];
try {
  for (const { name, command } of plan.checks ? checks : [])
    await record(name, async () => tallyCheck(await run(name, command)));
  for (const tests of plan.runs)
    await record(nameOf(tests), () => (tests.project === 'cluster' ? runInCluster(tests) : runTests(tests)));
} finally {
  failed = readFileSync(written.failures, 'utf8');
  slowest = slowestText(parseTimes(readFileSync(written.times, 'utf8')), 10);
  rmSync(reports, { recursive: true, force: true });
}

console.log('');
if (interrupted !== undefined) console.log(`stopped by ${interrupted} before everything had run`);
if (failed !== '') console.log(failed);
if (slowest.length > 0) console.log(['the slowest test files:', ...slowest, ''].join('\n'));
for (const { name, tally, took } of results)
  console.log(`${tally.failed > 0 ? '✗' : '✓'} ${name}: ${lastLine(tally)} (${durationText(took)})`);
const total = sum(results.map((result) => result.tally));
console.log(lastLine(total));
process.exitCode = total.failed > 0 || interrupted !== undefined ? 1 : 0;
