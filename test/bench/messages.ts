// What it costs to sign the messages between the roles, to verify them, and to look whether they fit: processor time of
// this process, on messages of the size that a sale has. An order is one message of its own (its event, signed by the
// shard's agent); reports, commands and transfers come a few times a second, however many orders there are.

import { keyRing } from '../../dataplane/protocol/message-mac.ts';
import { misfit } from '../../dataplane/protocol/message-shape.ts';
import type { Delta, OrderEvent } from '../../dataplane/protocol/messages.ts';
import { figure, type Result } from './result.ts';

const RUNS = 200_000;
const WARM_UP = 20_000;
const LIFE = '5e0c1a52-3b1f-4c59-9d5e-0a54a6c1f7d2';
const TOPIC = 'flashsale.shop.phones.deltas';

const delta: Delta = {
  incarnation: LIFE,
  peer: 's0',
  peerIncarnation: LIFE,
  version: 123_456,
  fromVersion: 123_400,
  delta: -56,
  available: 1000,
  sold: 123_400,
  cancelled: 12,
  missed: 0,
  missedMax: 0,
  sent: { s1: 10, s2: 30 },
  received: 5000,
  receivedVersions: { pool: 1234 },
  command: { term: 12, sequence: 1234 },
};
const event: OrderEvent = {
  incarnation: LIFE,
  order: 's0-AAAAAAAAAAAAAAAAAAAAAA',
  shard: 's0',
  version: 123_456,
  kind: 'placed',
  buyer: 'a.buyer@example.com',
  quantity: 1,
  at: 1_790_000_000_000,
};

/** Returns the processor time of one run, in µs. */
function cost(run: () => unknown): number {
  for (let i = 0; i < WARM_UP; i++) run();
  const before = process.cpuUsage();
  for (let i = 0; i < RUNS; i++) run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / RUNS;
}

export async function messages(): Promise<Result[]> {
  const ring = keyRing(Buffer.alloc(32, 1).toString('base64'));
  const text = JSON.stringify(delta);
  const bytes = Buffer.from(text);
  const code = ring.sign(TOPIC, 's0', text);
  const eventText = JSON.stringify(event);
  if (ring.verify(TOPIC, 's0', bytes, code) !== 'valid' || misfit('deltas', 's0', delta) !== undefined)
    throw new Error('the message of the benchmark is none');
  return [
    figure(
      'a report: signed',
      'µs',
      cost(() => ring.sign(TOPIC, 's0', text)),
    ),
    figure(
      'a report: verified',
      'µs',
      cost(() => ring.verify(TOPIC, 's0', bytes, code)),
    ),
    figure(
      'a report: does it fit',
      'µs',
      cost(() => misfit('deltas', 's0', delta)),
    ),
    figure(
      'a report: parsed from JSON, for comparison',
      'µs',
      cost(() => JSON.parse(bytes.toString('utf8'))),
    ),
    figure(
      'an order: its event signed',
      'µs',
      cost(() => ring.sign(TOPIC, event.order, eventText)),
    ),
  ];
}
