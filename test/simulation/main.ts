// hack/simulate: runs seed after seed, says how fast, and stops at the first that fails, with its story.

import { parseArgs } from 'node:util';
import { STORE_SENTENCES, type StoreSentence } from '../models/sentences.ts';
import { COVERED, COVERED_SENTENCES, MUTATIONS, type Mutation, STORE_WEATHERS } from './mutations.ts';
import { patchOnImport } from './patch.ts';
import type { Options } from './run.ts';
import type { Scenario } from './scenario.ts';
import { WEATHERS, type WeatherName } from './weathers.ts';

const HELP = `usage: hack/simulate [--seed N] [--steps N] [--hours N] [--notes N] [--weather NAME]
                     [--mutation NAME | --without NAME ... | --list]

Runs whole sales on the code that ships, in virtual time, while things go wrong; each seed is another sale.
  --seed N         runs this seed alone, unless --steps or --hours is given: then it is the first one
  --steps N        goes on until so many steps are done (without --seed, --steps and --hours: 100,000)
  --hours N        goes on for so many hours of real time
  --notes N        how much of its story a failing seed tells (40)
  --weather NAME   fixes parts of what the seed decides: ${Object.keys(WEATHERS).join(', ')}
  --mutation NAME  takes a sentence of the protocol back in a file that ships; succeeds when a seed finds it
  --without NAME   the same for a sentence that Lua or SQL keeps, in the models that stand for them; of several, all are
                   taken back together
  --list           names the sentences that can be taken back`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    steps: { type: 'string' },
    hours: { type: 'string' },
    notes: { type: 'string', default: '40' },
    weather: { type: 'string' },
    mutation: { type: 'string' },
    without: { type: 'string', multiple: true, default: [] },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

const numberOf = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));

const scenarioOf = (weather: string | undefined): Partial<Scenario> =>
  weather === undefined ? {} : WEATHERS[weather as WeatherName];

interface Plan {
  first: number;
  /** What ends it, whichever comes first. */
  seeds: number;
  steps: number;
  until: number;
}

function planOf(): Plan {
  const [seed, steps, hours] = [numberOf(values.seed), numberOf(values.steps), numberOf(values.hours)];
  const open = Number.POSITIVE_INFINITY;
  const single = seed !== undefined && steps === undefined && hours === undefined;
  return {
    first: seed ?? 1,
    seeds: single ? 1 : open,
    steps: steps ?? (hours === undefined && !single ? 100_000 : open),
    until: hours === undefined ? open : hours * 3_600_000,
  };
}

/** Answers whether a seed failed. */
async function simulate(plan: Plan, options: Options): Promise<boolean> {
  // Not before a mutation has been put in its way.
  const { run, SimulationFailure } = await import('./run.ts');
  const before = process.cpuUsage();
  /** Of this process's own time: what other programs on the machine take is not counted. */
  const spent = () => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
  let steps = 0;
  let simulated = 0;
  let seed = plan.first;
  const figures = () => {
    const seconds = spent() / 1000;
    const speed = Math.round(steps / seconds).toLocaleString('en');
    return `${steps.toLocaleString('en')} steps in ${seconds.toFixed(1)} s (${speed} steps/s), ${(simulated / 60_000).toFixed(1)} simulated minutes`;
  };
  for (; ; seed++) {
    try {
      const outcome = await run(seed, { notes: Number(values.notes), ...options });
      steps += outcome.steps;
      simulated += outcome.simulated;
    } catch (error) {
      if (!(error instanceof SimulationFailure)) throw error;
      console.log([...error.story, '', error.message, `To see it again: hack/simulate --seed ${seed}`].join('\n'));
      console.log(figures());
      return true;
    }
    if (seed - plan.first + 1 >= plan.seeds || steps >= plan.steps || spent() >= plan.until) break;
  }
  console.log(`seeds ${plan.first} to ${seed}: every unit was sold once or could be bought; ${figures()}`);
  return false;
}

/** Of this process's own time, so that a busy machine finds as much as an idle one. */
const MOST_FOR_A_MUTATION = Number(process.env.MUTMS ?? 60_000);

const ALL: Record<string, Mutation> = MUTATIONS;

/** Looks for a seed that finds what was taken back. */
async function mutate(mutation: string | undefined, without: readonly string[]): Promise<number> {
  const patch: Mutation | undefined = ALL[mutation ?? ''];
  if (patch) patchOnImport(patch);
  const unknown = patch || mutation === undefined ? without.find((name) => !(name in STORE_SENTENCES)) : mutation;
  if (unknown !== undefined) {
    console.error(`flashsale: no sentence is called '${unknown}'; see hack/simulate --list`);
    return 2;
  }
  const plan = planOf();
  plan.steps = numberOf(values.steps) ?? Number.POSITIVE_INFINITY;
  plan.until = MOST_FOR_A_MUTATION;
  plan.first = numberOf(values.seed) ?? patch?.from ?? 1;
  const usual = patch ? patch.weather : STORE_WEATHERS[without[0] as StoreSentence];
  const found = await simulate(plan, {
    scenario: scenarioOf(values.weather ?? usual),
    without: without as StoreSentence[],
  });
  console.log(found ? 'the mutation was found' : 'NO SEED FOUND THE MUTATION');
  return found ? 0 : 1;
}

function list(): void {
  for (const [name, { sentence, file }] of Object.entries(ALL))
    console.log(`--mutation '${name}'\n    ${sentence} (${file})`);
  for (const [name, sentence] of Object.entries(STORE_SENTENCES)) console.log(`--without ${name}\n    ${sentence}`);
  console.log('\nWithout a mutation:');
  for (const [name, reason] of Object.entries(COVERED)) console.log(`${name}\n    ${reason}`);
  for (const [name, { reason }] of Object.entries(COVERED_SENTENCES)) console.log(`${name}\n    ${reason}`);
}

if (values.help) console.log(HELP);
else if (values.list) list();
else if (values.mutation !== undefined || values.without.length > 0)
  process.exit(await mutate(values.mutation, values.without));
else process.exit((await simulate(planOf(), { scenario: scenarioOf(values.weather) })) ? 1 : 0);
