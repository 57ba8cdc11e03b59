// Which checks and which test files `hack/test` runs for what it is asked. Pure.

/** One call of Vitest. */
export interface TestRun {
  project: string;
  /** Parts of the paths of the files to run; none: all files of the project. */
  files: string[];
  env: Record<string, string>;
}

export interface TestPlan {
  checks: boolean;
  runs: TestRun[];
}

/** In the order in which they run: what fails fast goes first, and what needs the cluster goes last. */
export const PROJECTS = ['unit', 'simulation', 'integration', 'apiserver', 'chaos', 'cluster'];

const whole = (project: string): TestRun => ({ project, files: [], env: {} });

/** What a change of a pure decision, a Lua script or an SQL function is most often found by. */
const QUICK: TestRun[] = [
  whole('unit'),
  { project: 'simulation', files: ['simulation.test.ts'], env: { SEEDS: '60' } },
  { project: 'integration', files: ['integration/shard-sql/', 'integration/cache/scripts'], env: {} },
];

/** `asked`: a project, `quick`, or nothing for everything. */
export function planOf(asked?: string): TestPlan {
  if (asked === undefined) return { checks: true, runs: PROJECTS.map(whole) };
  if (asked === 'quick') return { checks: true, runs: QUICK };
  return { checks: asked === 'unit', runs: [whole(asked)] };
}
