// hack/simulate: runs seed after seed, says how fast, and stops at the first that fails, with its story.

import { parseArgs } from 'node:util';
import { run, SimulationFailure } from './run.ts';

const HELP = `usage: hack/simulate [--seed N] [--steps N] [--hours N] [--notes N]

Runs whole sales on the code that ships, in virtual time, while things go wrong; each seed is another sale.
  --seed N    runs this seed alone, unless --steps or --hours is given: then it is the first one
  --steps N   goes on until so many steps are done (without --seed, --steps and --hours: 100,000)
  --hours N   goes on for so many hours of real time
  --notes N   how much of its story a failing seed tells (40)`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    steps: { type: 'string' },
    hours: { type: 'string' },
    notes: { type: 'string', default: '40' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

const numberOf = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));

async function simulate(): Promise<number> {
  const [given, hours] = [numberOf(values.seed), numberOf(values.hours)];
  const single = given !== undefined && values.steps === undefined && hours === undefined;
  const most = numberOf(values.steps) ?? (hours === undefined && !single ? 100_000 : Number.POSITIVE_INFINITY);
  const began = performance.now();
  const until = hours === undefined ? Number.POSITIVE_INFINITY : began + hours * 3_600_000;
  let steps = 0;
  let simulated = 0;
  let seed = given ?? 1;
  const figures = () => {
    const seconds = (performance.now() - began) / 1000;
    const speed = Math.round(steps / seconds).toLocaleString('en');
    return `${steps.toLocaleString('en')} steps in ${seconds.toFixed(1)} s (${speed} steps/s), ${(simulated / 60_000).toFixed(1)} simulated minutes`;
  };
  for (; ; seed++) {
    try {
      const outcome = await run(seed, { notes: Number(values.notes) });
      steps += outcome.steps;
      simulated += outcome.simulated;
    } catch (error) {
      if (!(error instanceof SimulationFailure)) throw error;
      console.log(
        [...error.story, '', error.message, `To see it again: hack/simulate --seed ${seed}`, figures()].join('\n'),
      );
      return 1;
    }
    if (single || steps >= most || performance.now() >= until) break;
  }
  console.log(`seeds ${given ?? 1} to ${seed}: every unit was sold once or could be bought; ${figures()}`);
  return 0;
}

if (values.help) console.log(HELP);
else process.exit(await simulate());
