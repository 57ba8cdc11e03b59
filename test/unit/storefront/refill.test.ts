import { createServer, type ServerResponse } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { RefillAnswer } from '../../../dataplane/protocol/refill.ts';
import { refillClient, singleFlight } from '../../../dataplane/storefront/refill.ts';

const granted: RefillAnswer = { outcome: 'granted', liveUnits: 3 };

describe('asking the pool’s agent for stock', () => {
  test('is one question for all who want the same at the same time, and a new one afterwards', async () => {
    const asked: string[] = [];
    const gate = Promise.withResolvers<RefillAnswer>();
    const ask = singleFlight((node, quantity) => {
      asked.push(`${node} ${quantity}`);
      return gate.promise;
    });
    const waiting = [ask('c0', 1), ask('c0', 1), ask('c1', 1), ask('c0', 2), ask('c0', 1)];
    expect(asked).toEqual(['c0 1', 'c1 1', 'c0 2']);
    gate.resolve(granted);
    expect(await Promise.all(waiting)).toEqual(waiting.map(() => granted));
    await ask('c0', 1);
    expect(asked.length).toBe(4);
  });

  async function agent(answer: (response: ServerResponse) => void) {
    const asked: unknown[] = [];
    const failures: unknown[] = [];
    const server = createServer(async (request, response) => {
      let body = '';
      for await (const part of request) body += part;
      asked.push([request.method, request.url, request.headers.authorization, JSON.parse(body)]);
      answer(response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const client = refillClient({ host: '127.0.0.1', port }, 'the-secret', (error) => failures.push(error));
    onTestFinished(async () => {
      await client.close();
      server.closeAllConnections();
      server.close();
    });
    return { client, asked, failures, server };
  }

  test('names the node and the quantity, and who asks', async () => {
    const { client, asked } = await agent((response) => response.end(JSON.stringify(granted)));
    expect(await client.ask('c1', 2)).toEqual(granted);
    expect(asked).toEqual([['POST', '/refill', 'Bearer the-secret', { node: 'c1', quantity: 2 }]]);
  });

  test.each([
    ['refuses', (response: ServerResponse) => void response.writeHead(401).end()],
    ['fails', (response: ServerResponse) => void response.writeHead(500).end('{"outcome":"sold-out"}')],
    ['says nothing sensible', (response: ServerResponse) => void response.end('sold-out')],
    ['breaks off', (response: ServerResponse) => void response.destroy()],
  ])('R29: of an agent that %s is unavailable, never sold out', async (_, answer) => {
    const { client, failures } = await agent(answer);
    expect(await client.ask('c0', 1)).toEqual({ outcome: 'unavailable', liveUnits: 0 });
    expect(failures.length).toBe(1);
  });

  test('R29: of an agent that is not there is unavailable, never sold out', async () => {
    const { client, server } = await agent(() => undefined);
    await new Promise((resolve) => server.close(resolve));
    expect((await client.ask('c0', 1)).outcome).toBe('unavailable');
  });
});
