// Which checks and which test files `hack/test` runs for what it is asked. Pure.

/** One call of Vitest. */
export interface TestRun {
  project: string;
  /** Parts of the paths of the files to run; none: all files of the project. */
  files: string[];
  env: Record<string, string>;
  /** The same claims on another server than the one that this machine's distribution has. */
  on?: 'PostgreSQL 18';
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
  { project: 'simulation', files: ['simulation.test.ts'], env: { STEPS: '300000' } },
  {
    project: 'integration',
    files: [
      'integration/shard-sql/',
      ...['access', 'model', 'scripts'].map((name) => `integration/cache/${name}.test.ts`),
    ],
    env: {},
  },
];

/** What SQL and settings of ours a newer PostgreSQL could take otherwise, and one whole sale. */
const ON_POSTGRES_18: TestRun = {
  project: 'integration',
  files: [
    ...['checkout', 'clients', 'crash', 'fences', 'model', 'orders', 'registry', 'transfers'].map(
      (name) => `integration/shard-sql/${name}.test.ts`,
    ),
    'integration/manifests/postgres.test.ts',
    'integration/sale/life.test.ts',
  ],
  env: {},
  on: 'PostgreSQL 18',
};

const runsOf = (project: string): TestRun[] =>
  project === 'integration' ? [whole(project), ON_POSTGRES_18] : [whole(project)];

/** `asked`: a project, `quick`, or nothing for everything. */
export function planOf(asked?: string): TestPlan {
  if (asked === undefined) return { checks: true, runs: PROJECTS.flatMap(runsOf) };
  if (asked === 'quick') return { checks: true, runs: QUICK };
  return { checks: asked === 'unit', runs: runsOf(asked) };
}
