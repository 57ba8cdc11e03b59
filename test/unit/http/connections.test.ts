// What a client may make the server hold: connections, requests, answers, pieces of bodies. Real sockets on this machine,
// with bounds that a test can reach.

import { type AddressInfo, connect, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { json, shared } from '../../../dataplane/http/answer.ts';
import { type ConnectionLimits, type Cut, clientOf, MOST_UNANSWERED } from '../../../dataplane/http/connections.ts';
import { createGuardedServer } from '../../../dataplane/http/guarded-server.ts';
import { hot } from '../../../dataplane/http/hot.ts';

/** More than the buffers of two kernels take. */
const LARGE = shared(json(200, JSON.stringify('x'.repeat(32_000_000))));
const GET = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n';
/** Fast enough for a test, and slow enough for a busy machine to serve a request in between. */
const TIMES = { unread: 300, linger: 300, look: 20 };

interface Client {
  socket: Socket;
  text(): string;
  ended(): boolean;
}

/** `/large` answers 32 megabytes, `/never` nothing, and everything else its own body. */
async function open(limits: ConnectionLimits = { most: 100 }) {
  const cuts: Cut[] = [];
  const served: string[] = [];
  const server = createGuardedServer(
    (draining) => (request, response) => {
      served.push(request.url ?? '');
      if (request.url === '/never') return;
      hot(
        request,
        response,
        (_, body) => (request.url === '/large' ? LARGE : json(200, JSON.stringify(body))),
        draining,
      );
    },
    { limits: () => limits, cut: (why) => cuts.push(why), times: TIMES },
  );
  await new Promise<void>((resolve) => server.http.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => server.drain(0));
  const { port } = server.http.address() as AddressInfo;
  const client = async (): Promise<Client> => {
    let text = '';
    let ended = false;
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('data', (piece) => {
      text += piece;
    });
    socket
      .on('error', () => undefined)
      .on('close', () => {
        ended = true;
      });
    onTestFinished(() => void socket.destroy());
    await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
    return { socket, text: () => text, ended: () => ended };
  };
  const ask = async ({ socket, text }: Client, request = GET) => {
    const before = text().length;
    socket.write(request);
    await expect.poll(() => text().slice(before), { timeout: 10_000 }).toContain('200 OK');
  };
  const cutFor = (why: Cut) => expect.poll(() => cuts, { timeout: 10_000 }).toContain(why);
  return { server, client, ask, cuts, cutFor, served, limits };
}

describe('a client that asks and does not read', () => {
  test('is cut with its first request too many, and nothing is done for that one', async () => {
    const { client, cutFor, served } = await open();
    const greedy = await client();
    greedy.socket.pause();
    greedy.socket.write('GET /never HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(1000));
    await cutFor('pipelined');
    expect(served).toHaveLength(MOST_UNANSWERED);
  });

  test('makes no more work with the rest of a packet', async () => {
    const { client, cutFor, server } = await open();
    // What node:http's parser hands out, before anybody else sees it.
    let parsed = 0;
    server.http.on('connection', ({ parser }: Socket & { parser: { onIncoming(...given: unknown[]): number } }) => {
      const incoming = parser.onIncoming;
      parser.onIncoming = (...given) => {
        parsed++;
        return incoming(...given);
      };
    });
    const greedy = await client();
    greedy.socket.write('GET /never HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(1000));
    await cutFor('pipelined');
    await expect.poll(() => server.connections()).toBe(0);
    expect(parsed).toBe(MOST_UNANSWERED + 1);
  });

  test('is cut when an answer is not read in time, though it reads a little now and then', async () => {
    const { client, cutFor, server } = await open();
    const slow = await client();
    slow.socket.pause();
    slow.socket.write('GET /large HTTP/1.1\r\nhost: x\r\n\r\n');
    const sips = setInterval(() => slow.socket.read(100), 20);
    onTestFinished(() => clearInterval(sips));
    await cutFor('unread');
    await expect.poll(() => server.connections()).toBe(0);
  });

  test('is not mistaken for one that pipelines a few and reads', async () => {
    const { client, cuts } = await open();
    const fair = await client();
    for (let i = 0; i < 50; i++) {
      fair.socket.write(GET.repeat(MOST_UNANSWERED));
      await expect.poll(() => fair.text().split('200 OK').length - 1).toBe((i + 1) * MOST_UNANSWERED);
    }
    expect(cuts).toEqual([]);
  });
});

test.each([
  ['garbage, such as the start of TLS', Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]), '400 Bad Request'],
  ['headers without end', `GET / HTTP/1.1\r\nx: ${'y'.repeat(20_000)}`, '431 Request Header'],
])('a client that sent %s is told, and let go of though it does not close', async (_, bytes, told) => {
  const { client, cutFor, server } = await open();
  // Half-open: this end goes on after the server has said its last word.
  const stubborn = await client();
  stubborn.socket.allowHalfOpen = true;
  stubborn.socket.write(bytes);
  await expect.poll(() => stubborn.text()).toContain(told);
  await cutFor('lingering');
  await expect.poll(() => server.connections()).toBe(0);
});

test('a client that closes its half is answered', async () => {
  const { client, server } = await open();
  const half = await client();
  half.socket.end(GET);
  await expect.poll(() => half.text()).toContain('200 OK');
  await expect.poll(() => server.connections()).toBe(0);
});

describe('when there are as many connections as there may be', () => {
  test('the one that is idle longest gives way, and never one that waits for its answer', async () => {
    const { client, ask, cuts, cutFor, server } = await open({ most: 3 });
    const busy = await client();
    busy.socket.write('GET /never HTTP/1.1\r\nhost: x\r\n\r\n');
    const [older, newer] = [await client(), await client()];
    await ask(older);
    await new Promise((resolve) => setTimeout(resolve, 4 * TIMES.look));
    await ask(newer);
    await expect
      .poll(async () => {
        const next = await client();
        await new Promise((resolve) => setTimeout(resolve, 2 * TIMES.look));
        return next.ended() ? 'refused' : 'taken';
      })
      .toBe('taken');
    await cutFor('gave-way');
    await expect.poll(() => older.ended()).toBe(true);
    expect([busy.ended(), newer.ended()]).toEqual([false, false]);
    expect(server.connections()).toBe(3);
    expect(cuts.filter((why) => why === 'gave-way')).toHaveLength(1);
  });

  test('a new one is closed when every other is at work', async () => {
    const { client, cutFor, server } = await open({ most: 2 });
    const busy = [await client(), await client()];
    for (const { socket } of busy) socket.write('GET /never HTTP/1.1\r\nhost: x\r\n\r\n');
    await new Promise((resolve) => setTimeout(resolve, 5 * TIMES.look));
    const late = await client();
    await cutFor('full');
    await expect.poll(() => late.ended()).toBe(true);
    expect([server.connections(), busy.some(({ ended }) => ended())]).toEqual([2, false]);
  });
});

test('one address has its own limit, which an edit changes at once, and which ended connections leave', async () => {
  const { client, ask, cutFor, limits } = await open({ most: 100, perAddress: 2 });
  const [first, second] = [await client(), await client()];
  await Promise.all([ask(first), ask(second)]);
  const third = await client();
  await expect.poll(() => third.ended()).toBe(true);
  await cutFor('per-address');
  first.socket.destroy();
  await expect
    .poll(async () => {
      const next = await client();
      next.socket.write(GET);
      await new Promise((resolve) => setTimeout(resolve, 50));
      return next.text();
    })
    .toContain('200 OK');
  delete limits.perAddress;
  await ask(await client());
});

test('a body in thousands of pieces is one text', async () => {
  const { client, ask } = await open();
  const pieces = await client();
  const body = 'abcdefgh'.repeat(512);
  const chunks = [...body].map((each) => `1\r\n${each}\r\n`).join('');
  await ask(pieces, `POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`);
  await expect.poll(() => pieces.text()).toContain(JSON.stringify(body));
});

test.each([
  [100, '200 OK'],
  [101, '431 Request Header'],
  [2000, '431 Request Header'],
])('a request with %i headers is answered %s', async (count, told) => {
  const { client, served } = await open();
  const { socket, text } = await client();
  const headers = Array.from({ length: count - 1 }, (_, i) => `a${i}:b\r\n`).join('');
  socket.write(`GET / HTTP/1.1\r\nhost: x\r\n${headers}\r\n`);
  await expect.poll(text).toContain(told);
  expect(served.length).toBe(told.startsWith('200') ? 1 : 0);
});

test.each([
  ['10.1.2.3', '10.1.2.3'],
  ['::ffff:10.1.2.3', '10.1.2.3'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::6', '2001:db8:1:2::/64'],
  ['2001:DB8::6', '2001:db8:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['', ''],
])('%s is counted as %s', (address, client) => {
  expect(clientOf(address)).toBe(client);
});
