// A whole sale on this machine, told as a story: start it, send the crowd, count every unit. Starts and ends it with
// the program itself, as a person would. Exits 0 only if the audit holds.

import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { styleText } from 'node:util';
import { Command, CommanderError } from 'commander';
import { messageOf, UserError } from '../dataplane/runtime/user-error.ts';
import { renderError } from '../operator/api/findings.ts';
import { loadFlashSale } from '../operator/api/load.ts';
import { drive, holds } from '../operator/load/drive.ts';
import { type CrowdFlags, crowdOf, crowdOptions } from '../operator/load/options.ts';
import { auditSummary, loadSummary, number } from '../operator/load/show.ts';
import { control } from '../operator/local/control.ts';
import { dataFolder, salesFolder } from '../operator/local/data-folder.ts';
import { readText } from '../operator/local/files.ts';
import { localSale } from '../operator/local/find.ts';

const ROOT = join(import.meta.dirname, '..');
const FOLDER = join(salesFolder(), 'demo');

interface Options extends CrowdFlags {
  sale: string;
  report?: string;
  keep?: boolean;
}

const say = (text = ''): void => void process.stdout.write(`${text}\n`);
const title = (text: string): void => say(`\n${styleText('bold', text, { stream: process.stdout })}`);

/** The program itself, as a person would call it; `quiet`: only what it complains about is shown. */
function flashsale(args: string[], quiet = false): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(ROOT, 'operator/cli/main.ts'), ...args, '--data', FOLDER], {
      stdio: ['ignore', quiet ? 'ignore' : 'inherit', 'inherit'],
    });
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

const end = (): Promise<number> => flashsale(['down', '--wipe'], true);

async function demo(options: Options): Promise<number> {
  const began = performance.now();
  const loaded = loadFlashSale(readText(options.sale), { source: options.sale, selfContained: true });
  if (!loaded.ok) throw new UserError(loaded.errors.map(renderError).join('\n'));
  const { spec } = loaded.sale;
  const crowd = crowdOf(options, { stock: spec.stock, maxQuantity: spec.qualification.maxQuantity });

  title('A flash sale, from the first process to the last unit');
  const percent = (share: number) => `${Math.round(share * 100)} %`;
  say(
    `${number(spec.stock)} units of ${spec.sku} for ${number(crowd.buyers)} buyers, on real Redis, PostgreSQL and Kafka.`,
  );
  say(
    `${percent(crowd.duplicates)} of them click twice, ${percent(crowd.abandon)} let their token lapse, a few try forged and stolen ones.`,
  );

  await end();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void end().finally(() => process.exit(130)));
  title('1. The sale starts');
  const code = await flashsale(['up', '-f', options.sale, ...(options.keep ? ['--console'] : [])]);
  if (code !== 0) return code;
  const startSeconds = (performance.now() - began) / 1000;
  const { console: page } = (await control(dataFolder(FOLDER).control).status()).addresses;
  if (page) say(`\nWatch it in a browser: ${styleText('bold', page, { stream: process.stdout })}`);

  title('2. The crowd comes');
  const sale = () => localSale({ data: FOLDER });
  const { config, storefronts } = sale();
  const { tally, audit, report } = await drive({
    config,
    audited: sale,
    urls: storefronts,
    crowd,
    startSeconds,
    progress: process.stdout,
  });
  if (options.report) writeFileSync(options.report, `${JSON.stringify(report, null, 2)}\n`);

  title('3. Where every unit is');
  say(auditSummary(audit));
  title('4. How it went');
  say(loadSummary(report, tally));

  if (options.keep) {
    title('It goes on');
    say(
      `  buy one            curl -s ${storefronts[0]}/purchase -X POST -H 'content-type: application/json' -H 'X-Buyer-Id: me' -d '{"quantity": 1}'`,
    );
    if (page) say(`  watch it           ${page}`);
    say(`  how it stands      hack/flashsale status --data ${FOLDER}`);
    say(`  another crowd      hack/flashsale load --data ${FOLDER} --seed 2`);
    say(`  change it          copy ${options.sale}, raise spec.stock, then hack/flashsale up -f COPY --data ${FOLDER}`);
    say(`  end it             hack/flashsale down --data ${FOLDER} --wipe`);
  } else if (!holds(report.audit)) {
    await flashsale(['down'], true);
    say(`\nThe audit does not hold. Everything is kept for a look: ${FOLDER}`);
  } else {
    await end();
    title('What to try next');
    say('  hack/demo --keep                              leave it running, with a page to watch it on');
    say('  hack/demo --abandon 1 --come-back             everybody lets a token lapse and comes back');
    say('  hack/demo --sale docs/examples/odd.yaml       9,973 units over 7 cache nodes and 5 shards, up to 4 each');
    say('  hack/flashsale --help, docs/local-mode.md     a sale of your own on this machine');
  }
  return holds(report.audit) ? 0 : 1;
}

const program = crowdOptions(new Command('hack/demo'))
  .description('run a whole flash sale on this machine: start it, send a crowd, count every unit')
  .option('--sale <file>', 'the FlashSale to run', join(ROOT, 'docs/examples/quickstart.yaml'))
  .option('--report <file>', 'write the figures as JSON')
  .option('--keep', 'leave the sale running, with its console, and say where')
  .addHelpText('after', '\nExits 0 only if the audit holds: no unit lost, none sold twice, none stranded.')
  .exitOverride()
  .configureOutput({ outputError: () => undefined })
  .action(async (options: Options) => process.exit(await demo(options)));

program.parseAsync().catch((error: unknown) => {
  if (error instanceof CommanderError && error.exitCode === 0) process.exit(0);
  const known = error instanceof CommanderError || error instanceof UserError;
  const text = known ? messageOf(error).replace(/^error: /, '') : ((error as Error).stack ?? messageOf(error));
  for (const line of text.split('\n')) process.stderr.write(`hack/demo: ${line}\n`);
  process.exit(error instanceof CommanderError ? 2 : 1);
});
