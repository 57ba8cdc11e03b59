// A broker, or somebody in its place, that means harm: roles go on trying, and neither grow nor hang.

import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { afterEach, expect, test } from 'vitest';
import { connectBus } from '../../../dataplane/runtime/bus-kafka.ts';
import { busSecret } from '../../harness/kafka.ts';
import { until } from '../../harness/until.ts';

const MIB = 1024 * 1024;
const chunk = Buffer.alloc(MIB);
const cleanup: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});

/** Answers whatever it is asked with the announcement of a frame, and then sends as fast as it is read. */
async function hostileBroker(announced: number): Promise<{ port: number; connections: () => number }> {
  let connections = 0;
  const open = new Set<Socket>();
  const server: Server = createServer((socket) => {
    open.add(socket);
    const pour = () => {
      while (!socket.destroyed && socket.write(chunk));
    };
    socket.on('error', () => undefined);
    socket.once('close', () => open.delete(socket));
    socket.once('data', () => {
      connections++;
      const header = Buffer.alloc(4);
      header.writeInt32BE(announced);
      socket.write(header);
      pour();
      socket.on('drain', pour);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanup.push(() => {
    for (const socket of open) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as AddressInfo).port, connections: () => connections };
}

test.each([
  ['2 GB', 2 ** 31 - 1],
  ['a negative length', -4],
])('a broker that announces a frame of %s is left at once', async (_, announced) => {
  const broker = await hostileBroker(announced);
  const config = { brokers: [`127.0.0.1:${broker.port}`], prefix: 'sale', replicationFactor: 1, tls: false };
  const before = process.memoryUsage().rss;
  const bus = connectBus(config, busSecret, pino({ level: 'silent' }), new Registry());
  cleanup.push(() => bus.close());
  await bus.subscribe(['deltas', 'levels'], { beginning: true }, () => undefined);
  let most = before;
  await until('it was asked again and again', () => {
    most = Math.max(most, process.memoryUsage().rss);
    return broker.connections() >= 10;
  });
  expect((most - before) / MIB).toBeLessThan(100);
});
