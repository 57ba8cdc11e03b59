// What people read.

import { expect, test } from 'vitest';
import { changeLines } from '../../../operator/cli/changes.ts';
import { processesTable } from '../../../operator/cli/commands/status.ts';
import { number, span, table } from '../../../operator/cli/output.ts';
import { statusText } from '../../../operator/cli/status-text.ts';
import type { SaleReport } from '../../../operator/local/report.ts';

test('columns are as wide as their widest cell; numbers stand at the right; colours take no room', () => {
  const rows = [
    ['NAME', 'UNITS', 'NOTE'],
    ['\u001b[32ms0\u001b[39m', '5', ''],
    ['s1', '12,345', 'full'],
  ];
  expect(table(rows, [1])).toBe(
    ['NAME   UNITS  NOTE', '\u001b[32ms0\u001b[39m         5', 's1    12,345  full'].join('\n'),
  );
});

test.each([
  [0, '0 s'],
  [59_499, '59 s'],
  [61_000, '1 min'],
  [3_725_000, '1 h 2 min'],
  [90_000_000, '1 d 1 h'],
])('%d ms is %s', (ms, text) => {
  expect(span(ms)).toBe(text);
});

test('a number that is not known is shown as such', () => {
  expect([number(undefined), number(0), number(1234567)]).toEqual(['–', '0', '1,234,567']);
});

test('an edit is one line for each field', () => {
  expect(changeLines([])).toEqual(['nothing to change']);
  expect(
    changeLines([
      { field: 'spec.stock', from: 1, to: 2, effect: 'restocks 1 unit' },
      { field: 'spec.window.opensAt', to: '2026-12-01T12:00:00Z', effect: 'later' },
      { field: 'spec.qualification.denyList', from: { ids: Array.from({ length: 50 }, () => 'x') }, effect: 'fewer' },
    ]),
  ).toEqual([
    'spec.stock:                   1 → 2                                             restocks 1 unit',
    'spec.window.opensAt:          unset → 2026-12-01T12:00:00Z                      later',
    'spec.qualification.denyList:  {"ids":["x","x","x","x","x","x","x","x"… → unset  fewer',
  ]);
});

const REPORT: SaleReport = {
  namespace: 'default',
  name: 'phone',
  settled: false,
  waitingFor: 'Kafka (not listening yet)',
  addresses: { storefronts: ['http://127.0.0.1:1'], metrics: {} },
  folder: '/data',
  logs: '/data/logs',
  status: {
    phase: 'Selling',
    supplied: 10_000,
    sold: 1,
    available: 9_999,
    virtualAvailable: 9_990,
    tokensLive: 9,
    inTransfer: 0,
    dispersion: { coefficientOfVariation: 0.125, min: 1, max: 2, mean: 1.5 },
    caches: [{ id: 'c0', ready: true, epoch: 3, virtualAvailable: 9_990, tokensLive: 9 }],
    shards: [{ id: 's0', ready: false, available: 9_999, pinned: 9, sold: 1 }],
  },
  processes: [
    { name: 'redis-c0', title: 'Redis c0', phase: 'ready', pid: 12, startedAt: 0, restarts: 0, address: '127.0.0.1:2' },
    { name: 'kafka', title: 'Kafka', phase: 'waiting', restarts: 3, reason: 'ended with exit code 1' },
  ],
};

test('status shows phase, stock, every node, shard and process', () => {
  const parts = processesTable(REPORT.processes, 65_000);
  expect(statusText({ ...REPORT, parts }, 65_000)).toBe(`default/phone  Selling
waiting for Kafka (not listening yet)

SUPPLIED  SOLD  AVAILABLE  VIRTUAL  LIVE TOKENS  IN TRANSFER  DISPERSION
  10,000     1      9,999    9,990            9            0        0.13

CACHE  READY  EPOCH  VIRTUAL  LIVE TOKENS
c0     yes        3    9,990            9

SHARD  READY  AVAILABLE  PINNED  SOLD
s0     no         9,999       9     1

PROCESS   STATE                            PID  UPTIME  RESTARTS  ADDRESS
redis-c0  ready                             12  1 min          0  127.0.0.1:2
kafka     waiting: ended with exit code 1    –  –              3`);
});

test('status of a sale of which nothing is known yet makes nothing up', () => {
  const text = statusText({ ...REPORT, status: {}, parts: '' }, 0);
  expect(text).toContain('Pending');
  expect(text).toContain('–');
});
