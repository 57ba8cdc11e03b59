// flashsale up: makes a sale so on this machine, or changes a running one to what its edited file says.

import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import type { Millis } from '../../../dataplane/protocol/units.ts';
import { UserError } from '../../../dataplane/runtime/user-error.ts';
import type { ConsoleWish } from '../../local/console.ts';
import type { Control } from '../../local/control.ts';
import { reachSupervisor } from '../../local/daemon.ts';
import { dataFolder, defaultFolder } from '../../local/data-folder.ts';
import { fullName, readEdit } from '../../local/edit.ts';
import { readText } from '../../local/files.ts';
import { nameIn } from '../../local/find.ts';
import type { SaleReport } from '../../local/report.ts';
import { fileLog, type RunningSupervisor, runSupervisor } from '../../local/run.ts';
import { readState } from '../../local/state.ts';
import type { Applied } from '../../local/supervisor.ts';
import { changeLines } from '../changes.ts';
import { examples, type Format, outputOption, wholeNumber } from '../options.ts';
import { note, noteStyled, print, printJson, seconds, styled } from '../output.ts';
import { Progress } from '../progress.ts';

interface Options {
  file: string;
  data?: string;
  port?: number;
  /** True: on any port; false: not any more. */
  console?: number | boolean;
  timeout: number;
  wait: boolean;
  foreground?: boolean;
  output: Format;
}

export const upCommand = (): Command =>
  new Command('up')
    .description(
      'start the sale of a FlashSale file on this machine, or change the running one to what the file says now',
    )
    .requiredOption(
      '-f, --file <file>',
      'FlashSale in YAML, with the ConfigMaps and Secrets it refers to; - is standard input',
    )
    .option(
      '--data <folder>',
      'where the sale keeps everything (default: a folder of its own below ~/.local/state/flashsale)',
    )
    .option(
      '--port <number>',
      'first storefront listens here, the next on the ports after it (default: free ones)',
      wholeNumber(1, 65_000),
    )
    .option(
      '--console [port]',
      'serve the live console, a page that shows the sale, on this port of this machine (default: a free one); stays on until --no-console',
      wholeNumber(1, 65_535),
    )
    .option('--no-console', 'serve it no more')
    .option('--timeout <seconds>', 'how long to wait until the sale is ready', wholeNumber(1, 86_400), 180)
    .option('--no-wait', 'return as soon as the change is accepted')
    .option('--foreground', 'stay, and stop the sale on Ctrl-C, instead of leaving it to run by itself')
    .addOption(outputOption())
    .addHelpText(
      'after',
      examples(
        'up -f sale.yaml',
        'up -f sale.yaml --port 8080',
        'up -f sale.yaml --console',
        'up -f sale.yaml      # again after editing it: restock, more shards, other rules, …',
      ),
    )
    .action(up);

async function up(options: Options): Promise<void> {
  const began = performance.now();
  const text = readText(options.file);
  const folder = dataFolder(options.data ?? defaultFolder(...nameIn(text, options.file)));
  // Everything that can be wrong with the file or this machine is said before anything is made.
  const edit = readEdit(text, options.file, readState(folder));
  const quiet = options.output === 'json';
  if (!quiet) note(`${noteStyled('bold', fullName(edit.sale))} in ${folder.path}`);

  const running = options.foreground ? await runSupervisor(folder.path, { log: fileLog(folder) }) : undefined;
  const control = running ? inProcess(running) : await reachSupervisor(folder);
  let applied: Applied;
  try {
    applied = await control.apply({
      text,
      source: options.file,
      ...(options.port === undefined ? {} : { firstPort: options.port }),
      ...(options.console === undefined ? {} : { console: wishOf(options.console) }),
    });
  } catch (error) {
    // A supervisor that was started for nothing goes; one that keeps a sale stays as it was.
    if (readState(folder) === undefined) await control.stop();
    else await running?.leave();
    throw error;
  }
  if (!quiet && applied.changes) for (const line of changeLines(applied.changes)) note(`  ${line}`);

  const report = options.wait ? await settle(control, options.timeout * 1000, began, quiet) : await control.status();
  if (quiet) printJson({ ...applied, ready: report.settled, ...report });
  else summarize(report, performance.now() - began, options, applied.changes !== undefined);
  if (running) {
    if (!quiet) note('Ctrl-C stops it');
    await running.stopped;
  }
}

const wishOf = (console: number | boolean): ConsoleWish =>
  typeof console === 'number' ? { port: console } : console ? {} : 'off';

const inProcess = ({ supervisor, stop }: RunningSupervisor): Control => ({
  status: () => supervisor.report(),
  apply: ({ text, ...options }) => supervisor.apply(text, options),
  stop,
});

async function settle(control: Control, timeout: Millis, began: Millis, quiet: boolean): Promise<SaleReport> {
  const progress = new Progress(began, quiet);
  for (;;) {
    const report = await control.status();
    const now = performance.now();
    progress.show(report, now);
    if (report.settled) return report;
    if (now - began > timeout) {
      progress.end();
      throw new UserError(
        `not ready after ${seconds(timeout)}, still waiting for ${report.waitingFor}; it goes on trying (flashsale status), its logs are in ${report.logs}`,
      );
    }
    await sleep(150);
  }
}

function summarize(report: SaleReport, took: Millis, options: Options, edited: boolean): void {
  const { addresses, status } = report;
  const label = (text: string) => styled('bold', text.padEnd(10));
  const choice = options.data ? `--data ${options.data}` : `${report.namespace}/${report.name}`;
  const headline = report.settled
    ? styled('green', `${phaseInWords(status.phase)}${edited ? ' as the file says' : ''} after ${seconds(took)}`)
    : `accepted; still waiting for ${report.waitingFor}`;
  print(`${label('Sale')}${report.name}: ${headline}`);
  addresses.storefronts.forEach((url, i) => {
    print(`${i === 0 ? label('Buyers') : ' '.repeat(10)}${url}`);
  });
  for (const [name, url] of Object.entries(addresses.metrics).filter(([name]) => name.startsWith('storefront')))
    print(`${label('Metrics')}${url}  (${name}; the others: flashsale status -o json)`);
  if (addresses.console) print(`${label('Console')}${addresses.console}`);
  print(`${label('Data')}${report.folder}`);
  print(`${label('Logs')}${report.logs}`);
  print(`${label('Next')}flashsale status ${choice} · flashsale down ${choice}`);
}

function phaseInWords(phase: SaleReport['status']['phase']): string {
  switch (phase) {
    case 'Selling':
      return 'open';
    case 'Scheduled':
      return 'ready, and waiting for window.opensAt';
    case 'SoldOut':
      return 'sold out';
    case undefined:
      return 'starting';
    default:
      return phase.toLowerCase();
  }
}
