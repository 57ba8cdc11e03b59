// A run as a person sees it: one line that moves while the crowd is there, and a summary afterwards. On something
// that is no terminal the moving line becomes one line every few seconds.

import { styleText } from 'node:util';
import cliProgress from 'cli-progress';
import type { AuditReport } from '../audit/check.ts';
import type { LoadReport } from './report.ts';
import type { Tally } from './tally.ts';

const count = new Intl.NumberFormat('en');
export const number = (n: number): string => count.format(n);

export interface Progress {
  update(tally: Tally): void;
  stop(): void;
}

export function showProgress(stock: number, out: NodeJS.WriteStream): Progress {
  const state = (t: Tally) => ({
    arrived: number(t.arrived),
    tokens: number(t.tokens),
    waiting: number(t.waiting),
    soldOut: number(t.soldOut),
  });
  if (!out.isTTY) {
    let next = 0;
    let last = '';
    return {
      update: (t) => {
        const s = state(t);
        const line = JSON.stringify([t.sold, s]);
        if (t.now() < next || line === last) return;
        next = t.now() + 2000;
        last = line;
        out.write(
          `  sold ${number(t.sold)} of ${number(stock)}; ${s.arrived} buyers came, ${s.tokens} tokens, ${s.waiting} wait for units to come back, ${s.soldOut} left without\n`,
        );
      },
      stop: () => undefined,
    };
  }
  const bar = new cliProgress.SingleBar(
    {
      format:
        '  {bar} {percentage}% sold · {arrived} came · {tokens} tokens · {waiting} waiting · {soldOut} left without',
      barsize: 28,
      hideCursor: true,
      stream: out,
    },
    cliProgress.Presets.shades_classic,
  );
  bar.start(stock, 0, { arrived: '0', tokens: '0', waiting: '0', soldOut: '0' });
  return { update: (t) => bar.update(Math.min(t.sold - t.cancelled, stock), state(t)), stop: () => bar.stop() };
}

const paint = (style: 'green' | 'red' | 'dim' | 'bold', text: string): string =>
  styleText(style, text, { stream: process.stdout });
const mark = (good: boolean): string => (good ? paint('green', '✓') : paint('red', '✗'));

export function loadSummary(report: LoadReport, tally: Tally): string {
  const rows: [string, string][] = [
    ['sold', `${number(report.sold)} of ${number(report.stock)} units, in ${number(report.orders)} orders`],
    ['sold out after', `${report.sellOutSeconds} s`],
    [
      'purchases',
      `${number(report.purchases)} answered, ${number(report.purchasesPerSecond)} in the busiest second, p50 ${report.purchaseMs.p50} ms, p99 ${report.purchaseMs.p99} ms`,
    ],
    [
      'checkouts',
      `${number(tally.checkouts)} answered, ${number(report.checkoutsPerSecond)} in the busiest second, p50 ${report.checkoutMs.p50} ms, p99 ${report.checkoutMs.p99} ms`,
    ],
    [
      'tokens',
      `${number(report.tokens)} issued, ${number(report.abandoned)} abandoned, ${number(report.returned)} units came back`,
    ],
    ['duplicate clicks', `${number(report.duplicates)}, each answered with the token of the first`],
    ...(report.busy === 0
      ? []
      : [['told to come back', `${number(report.busy)} times, when too many asked at once`] as [string, string]]),
    ['left without', `${number(report.soldOut)} buyers were told "sold out"`],
  ];
  if (tally.forgedRefused + tally.foreignRefused > 0)
    rows.push(['refused', `${number(tally.forgedRefused)} forged and ${number(tally.foreignRefused)} foreign tokens`]);
  const lines = rows.map(([name, text]) => `  ${paint('dim', name.padEnd(18))}${text}`);
  lines.push(
    `  ${mark(report.falseSoldOut === 0)} ${report.falseSoldOut === 0 ? 'nobody was told "sold out" while units were left' : `${number(report.falseSoldOut)} false "sold out" answers`}`,
  );
  if (report.errors > 0)
    lines.push(
      `  ${mark(false)} ${number(report.errors)} errors: ${[...tally.errors].map(([what, n]) => `${n} × ${what}`).join(', ')}`,
    );
  return lines.join('\n');
}

export function auditSummary(report: AuditReport): string {
  const wide = Math.max(...report.places.map(({ place }) => place.length));
  const lines = report.places.map(({ place, units, note }) =>
    `  ${paint('dim', place.padEnd(wide))}  ${number(units).padStart(9)}  ${paint('dim', note)}`.trimEnd(),
  );
  lines.push(
    `  ${mark(report.missing === 0)} ${number(report.supplied)} supplied = ${number(report.available)} in shards + ${number(report.pool)} in the pool + ${number(report.inFlight)} in flight + ${number(report.sold)} sold`,
    `  ${mark(report.oversold === 0)} ${report.oversold === 0 ? 'nothing oversold' : `${number(report.oversold)} oversold`}`,
    `  ${mark(report.stranded === 0)} ${report.stranded === 0 ? 'nothing stranded' : `${number(report.stranded)} units stranded`}`,
    `  ${mark(report.duplicateOrders === 0)} ${report.duplicateOrders === 0 ? 'no duplicate orders' : `${number(report.duplicateOrders)} duplicate orders`}`,
  );
  for (const finding of report.findings) lines.push(`  ${mark(false)} ${finding}`);
  return lines.join('\n');
}
