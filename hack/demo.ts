// A whole sale on this machine, told as a story: start it, send the crowd, count every unit. Uses the program as a
// person would (`flashsale up`, `flashsale down`), and the same load generator and audit as `flashsale load` and
// `flashsale audit`. Exits 0 only if the audit holds.

import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs, styleText } from 'node:util';
import { readConfig } from '../dataplane/common/config.ts';
import { renderError } from '../operator/api/findings.ts';
import { loadFlashSale } from '../operator/api/load.ts';
import { audit } from '../operator/audit/audit.ts';
import { loadReport } from '../operator/load/report.ts';
import { type RunOptions, runLoad } from '../operator/load/run.ts';
import { auditSummary, loadSummary, number, showProgress } from '../operator/load/show.ts';
import { control, NotRunning } from '../operator/local/control.ts';
import { dataFolder, salesFolder } from '../operator/local/data-folder.ts';

const ROOT = join(import.meta.dirname, '..');
const HELP = `hack/demo: a whole flash sale on this machine

  hack/demo [--sale FILE] [--buyers N] [--duplicates P] [--abandon P] [--report FILE] [--keep]

  --sale FILE       the FlashSale to run (default: docs/examples/quickstart.yaml)
  --buyers N        how many come (default: twice what the stock serves)
  --rate N          arrivals per second (default: all of them in about 15 s)
  --duplicates P    share who click twice, 0 to 1 (default 0.1)
  --abandon P       share who let their token lapse, 0 to 1 (default 0.1)
  --come-back       those who let it lapse come back for another one
  --cancel P        share who cancel their order; needs orders.paymentDeadline (default 0)
  --seed N          another crowd (default 1)
  --report FILE     write the figures as JSON
  --keep            leave the sale running, and say where

Exits 0 only if the audit holds: no unit lost, none sold twice, none stranded.
`;

const say = (text = '') => process.stdout.write(`${text}\n`);
const bold = (text: string) => styleText('bold', text, { stream: process.stdout });

class Mistake extends Error {}

function parse() {
  try {
    return parseArgs({
      options: {
        sale: { type: 'string', default: join(ROOT, 'docs/examples/quickstart.yaml') },
        buyers: { type: 'string' },
        rate: { type: 'string' },
        duplicates: { type: 'string', default: '0.1' },
        abandon: { type: 'string', default: '0.1' },
        cancel: { type: 'string', default: '0' },
        'come-back': { type: 'boolean', default: false },
        seed: { type: 'string', default: '1' },
        report: { type: 'string' },
        keep: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new Mistake(`${(error as Error).message.split('. ')[0]}; see hack/demo --help`);
  }
}

function share(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1))
    throw new Mistake(`--${name} is a share from 0 to 1, for example 0.1; got "${text}"`);
  return value;
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1) throw new Mistake(`--${name} is a whole number from 1; got "${text}"`);
  return value;
}

/** The program itself, as a person would call it. */
function flashsale(...args: string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(ROOT, 'operator/cli/main.ts'), ...args], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

async function main(): Promise<number> {
  const started = performance.now();
  const values = parse();
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const text = readSale(values.sale);
  const loaded = loadFlashSale(text, { source: values.sale });
  if (!loaded.ok) throw new Mistake(loaded.errors.map((error) => renderError(error)).join('\n'));
  const { spec } = loaded.sale;
  const maxQuantity = spec.qualification.maxQuantity;
  const buyers = values.buyers
    ? whole('buyers', values.buyers)
    : Math.max(2, Math.ceil((4 * spec.stock) / (1 + maxQuantity)));
  const crowd = {
    buyers,
    rate: values.rate ? whole('rate', values.rate) : Math.max(50, Math.ceil(buyers / 15)),
    maxQuantity,
    duplicates: share('duplicates', values.duplicates),
    abandon: share('abandon', values.abandon),
    cancel: share('cancel', values.cancel),
    comeBack: values['come-back'],
    seed: whole('seed', values.seed),
    forged: 0.01,
    foreign: 0.01,
    think: 300,
    prefix: 'buyer-',
  };

  say(bold('A flash sale, from the first process to the last unit'));
  say(
    `  ${number(spec.stock)} units of ${spec.sku} for ${number(buyers)} buyers; ${Math.round(crowd.duplicates * 100)} % click twice, ${Math.round(crowd.abandon * 100)} % let their token lapse.`,
  );
  const folder = join(salesFolder(), 'demo');
  const { control: socket, config: configFile, secrets } = dataFolder(folder);
  const running = await control(socket)
    .status()
    .then(
      () => true,
      (error) => {
        if (error instanceof NotRunning) return false;
        throw error;
      },
    );
  if (running) say('  The sale of the demo before is still running; it ends now.');
  await flashsale('down', '--data', folder, '--wipe', '--quiet');

  say();
  say(bold('1  It starts'));
  const stop = () => {
    void flashsale('down', '--data', folder, '--wipe', '--quiet').finally(() => process.exit(130));
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const code = await flashsale('up', '-f', values.sale, '--data', folder);
  if (code !== 0) return code;
  const startSeconds = (performance.now() - started) / 1000;
  const config = readConfig(configFile);
  const { addresses } = await control(socket).status();

  say();
  say(bold('2  The crowd comes'));
  const progress = showProgress(spec.stock, process.stdout);
  const options: RunOptions = {
    ...crowd,
    urls: addresses.storefronts,
    header: config.auth.kind === 'header' ? config.auth.header : 'X-Buyer-Id',
    connections: 64,
    patience: 8 * config.token.ttl + 30_000,
    timeout: 10_000,
    progress: (tally) => progress.update(tally),
  };
  const tally = await runLoad(options);
  progress.stop();

  say();
  say(bold('3  Where every unit is'));
  const found = await audit(config, secrets, { patience: 2 * config.token.ttl + 10_000, settled: true });
  say(auditSummary(found));
  const report = loadReport(tally, found, { buyers, startSeconds });
  say();
  say(bold('4  How it went'));
  say(loadSummary(report, tally));
  if (values.report) writeFileSync(values.report, `${JSON.stringify(report, null, 2)}\n`);

  say();
  if (values.keep) {
    say(bold('The sale goes on'));
    say(
      `  buy something      curl -s -X POST ${addresses.storefronts[0]}/purchase -H 'X-Buyer-Id: me' -H 'content-type: application/json' -d '{}'`,
    );
    say(`  see how it stands  hack/flashsale status --data ${folder}`);
    say(`  count every unit   hack/flashsale audit --data ${folder}`);
    say(
      `  restock            raise spec.stock in a copy of ${values.sale}, then hack/flashsale up -f COPY --data ${folder}`,
    );
    say(`  end it             hack/flashsale down --data ${folder} --wipe`);
  } else {
    await flashsale('down', '--data', folder, '--wipe', '--quiet');
    say(bold('What to try next'));
    say('  hack/demo --keep                       the same, left running, with its addresses');
    say('  hack/demo --abandon 1 --come-back      everybody lets a token lapse and comes back');
    say('  hack/demo --sale docs/examples/odd.yaml --seed 2');
    say('  docs/local-mode.md                     your own sale on this machine');
  }
  process.removeListener('SIGINT', stop);
  process.removeListener('SIGTERM', stop);
  const { conserved, oversold, stranded, missing, duplicateOrders } = report.audit;
  return conserved && oversold + stranded + missing + duplicateOrders === 0 ? 0 : 1;
}

function readSale(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Mistake(
      `cannot read ${file}: ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : (error as Error).message}`,
    );
  }
}

main().then(
  (code) => process.exit(code),
  (error) => {
    process.stderr.write(`hack/demo: ${error instanceof Mistake ? error.message : (error as Error).stack}\n`);
    process.exit(error instanceof Mistake ? 2 : 1);
  },
);
