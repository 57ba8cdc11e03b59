// hack/bench [NAME…] [--json FILE]: the side-by-side benchmarks. Everything is real and on loopback; ours and the
// baseline take turns in one run. Exits non-zero only when a benchmark could not run: a missed goal is a result.

import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { stopChildren } from '../../hack/lib/process-tree.ts';
import { checkout, shards } from './checkout.ts';
import { lag } from './lag.ts';
import { messages } from './messages.ts';
import { memory, purchase } from './purchase.ts';
import { reject } from './reject.ts';
import { type Result, table } from './result.ts';
import { scale } from './scale.ts';

const BENCHMARKS: Record<string, { what: string; run: () => Promise<Result[]> }> = {
  purchase: { what: 'purchases against a hand-written loop and a bare echo', run: purchase },
  checkout: { what: 'checkouts against the naive transaction and the database itself', run: checkout },
  shards: { what: 'checkouts with 1, 2, 4 and 8 shards, and without batches', run: shards },
  reject: { what: 'refusals once sold out against a bare echo', run: reject },
  memory: { what: 'bytes of Redis memory for a token', run: memory },
  lag: { what: 'from commit to the resource table', run: lag },
  messages: { what: 'signing and checking the messages between the roles', run: messages },
  scale: { what: 'the operator with 500 sales', run: scale },
};

const HELP = `hack/bench [NAME…] [--json FILE]

${Object.entries(BENCHMARKS)
  .map(([name, { what }]) => `  ${name.padEnd(10)} ${what}`)
  .join('\n')}

  --json FILE   also write an array of {name, unit, ours, baseline, ratio, goal}
Without a name: all of them, about 15 minutes.
`;

function fail(message: string): never {
  process.stderr.write(`hack/bench: ${message}\n`);
  process.exit(2);
}

function parse() {
  try {
    return parseArgs({ allowPositionals: true, options: { json: { type: 'string' }, help: { type: 'boolean' } } });
  } catch (error) {
    fail(`${(error as Error).message.split('. ')[0]}; see hack/bench --help`);
  }
}

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(name, () => void stopChildren(20_000).finally(() => process.exit(130)));

const { values, positionals } = parse();
if (values.help) {
  process.stdout.write(HELP);
  process.exit();
}
for (const name of positionals)
  if (!BENCHMARKS[name]) fail(`there is no benchmark "${name}"; there are ${Object.keys(BENCHMARKS).join(', ')}`);

const results: Result[] = [];
for (const [name, { run, what }] of Object.entries(BENCHMARKS)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  process.stderr.write(`${name}: ${what} …\n`);
  try {
    results.push(...(await run()));
  } catch (error) {
    // What the others found is still worth showing.
    process.stderr.write(`hack/bench: ${name} could not run: ${(error as Error).stack}\n`);
    process.exitCode = 1;
  }
}
process.stdout.write(`\n${table(results)}\n\nNode ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim()}\n`);
if (values.json)
  writeFileSync(
    values.json,
    `${JSON.stringify(
      results.map(({ met: _, ...result }) => result),
      null,
      2,
    )}\n`,
  );
process.exit();
