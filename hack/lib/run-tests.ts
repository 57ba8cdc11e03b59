// What hack/test runs once everything is installed: the checks, then the test projects one after another, then the
// sum. Decides nothing about what passed (tally.ts does), and leaves no process behind when it is interrupted.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stopTree } from './process-tree.ts';
import { lastLine, sum, type Tally, tallyCheck, tallyVitest, type VitestReport } from './tally.ts';

const root = join(import.meta.dirname, '..', '..');
const projects = ['unit', 'simulation', 'integration', 'chaos', 'cluster'];
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
function run(name: string, command: string[]): Promise<number | null> {
  console.log(`\n── ${name}: ${command.join(' ')}`);
  const [program = '', ...args] = command;
  // A process group of its own: Ctrl-C reaches only this program, which then ends the whole tree in order.
  const child = spawn(program.includes('/') ? program : join(root, 'node_modules', '.bin', program), args, {
    cwd: root,
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

async function runProject(name: string, reports: string, within: string[] = []): Promise<Tally> {
  const report = join(reports, `${name}.json`);
  const vitest = within.length > 0 ? 'node_modules/.bin/vitest' : 'vitest';
  const exitCode = await run(`${name} tests`, [
    ...within,
    ...[vitest, 'run', '--project', name, '--allowOnly=false'],
    ...['--reporter=default', '--reporter=json', `--outputFile.json=${report}`, '--reporter=./hack/lib/failures.ts'],
  ]);
  return tallyVitest(
    exitCode,
    existsSync(report) ? (JSON.parse(readFileSync(report, 'utf8')) as VitestReport) : undefined,
  );
}

/** The tests of the cluster run in its network. One that was not there before goes away again. */
async function runClusterProject(reports: string): Promise<Tally> {
  const program = 'hack/cluster';
  const there = spawnSync(program, ['kubeconfig'], { cwd: root, stdio: 'ignore' }).status === 0;
  try {
    for (const command of ['up', 'load']) {
      if ((await run('cluster', [program, command])) !== 0) return { passed: 0, failed: 1, skipped: 0 };
    }
    return await runProject('cluster', reports, [program, 'exec', '--']);
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

const only = process.argv[2];
const hasTests = (name: string) => globSync(`test/${name}/**/*.test.ts`, { cwd: root }).length > 0;
const chosen = only === undefined ? projects.filter(hasTests) : [only];
const results: { name: string; tally: Tally }[] = [];
let failed = '';
const reports = mkdtempSync(join(tmpdir(), 'flashsale-test-'));
const failures = join(reports, 'failures.txt');
writeFileSync(failures, '');
process.env.FLASHSALE_FAILURES = failures;
try {
  if (only === undefined || only === 'unit') {
    for (const { name, command } of checks) {
      if (interrupted === undefined) results.push({ name, tally: tallyCheck(await run(name, command)) });
    }
  }
  for (const name of chosen) {
    if (interrupted !== undefined) break;
    const tally = name === 'cluster' ? await runClusterProject(reports) : await runProject(name, reports);
    results.push({ name: `${name} tests`, tally });
  }
} finally {
  failed = readFileSync(failures, 'utf8');
  rmSync(reports, { recursive: true, force: true });
}

console.log('');
if (interrupted !== undefined) console.log(`stopped by ${interrupted} before everything had run`);
if (chosen.length === 0) console.log('there is no test to run');
if (failed !== '') console.log(failed);
for (const { name, tally } of results) console.log(`${tally.failed > 0 ? '✗' : '✓'} ${name}: ${lastLine(tally)}`);
const total = sum(results.map((result) => result.tally));
console.log(lastLine(total));
process.exitCode = total.failed > 0 || chosen.length === 0 || interrupted !== undefined ? 1 : 0;
