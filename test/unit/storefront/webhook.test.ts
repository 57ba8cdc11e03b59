import { createServer, type ServerResponse } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Webhook, type WebhookConfig } from '../../../dataplane/storefront/webhook.ts';

const question = { sale: 'shop/phones', sku: 'PHONE', buyer: 'alice', quantity: 1 };

/** A risk check on a free port; `answer` gets what was asked and the response. */
async function riskCheck(
  answer: (asked: unknown, response: ServerResponse) => void,
  config: Partial<WebhookConfig> = {},
) {
  const asked: unknown[] = [];
  const failures: unknown[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    asked.push(JSON.parse(body));
    answer(JSON.parse(body), response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const webhook = new Webhook(
    { url: `http://127.0.0.1:${port}/risk?v=1`, timeout: 2000, failurePolicy: 'Deny', ...config },
    (error) => failures.push(error),
  );
  onTestFinished(async () => {
    await webhook.close();
    server.closeAllConnections();
    server.close();
  });
  return { webhook, asked, failures };
}

describe('R3: the merchant’s risk check', () => {
  test('is asked about the sale, the buyer and the quantity, and may allow', async () => {
    const { webhook, asked } = await riskCheck((_, response) => response.end('{"allow":true}'));
    expect(await webhook.check(question)).toBeUndefined();
    expect(asked).toEqual([question]);
  });

  test('R5: may refuse, with or without a reason for the buyer', async () => {
    const { webhook } = await riskCheck((asked, response) =>
      response.end(
        (asked as { buyer: string }).buyer === 'alice' ? '{"allow":false,"reason":"Too new."}' : '{"allow":false}',
      ),
    );
    expect(await webhook.check(question)).toEqual({ problem: 'not-qualified', parameters: { why: 'Too new.' } });
    expect(await webhook.check({ ...question, buyer: 'bob' })).toEqual({
      problem: 'not-qualified',
      parameters: { why: 'The risk check said no.' },
    });
  });

  test('R27: is asked once for duplicate clicks, at the same time or soon after', async () => {
    const { webhook, asked } = await riskCheck((_, response) => response.end('{"allow":true}'));
    await Promise.all([webhook.check(question), webhook.check(question), webhook.check(question)]);
    await webhook.check(question);
    expect(asked.length).toBe(1);
    await webhook.check({ ...question, quantity: 2 });
    expect(asked.length).toBe(2);
  });

  test.each([
    ['an error status', (response: ServerResponse) => void response.writeHead(500).end('{"allow":true}')],
    ['no JSON', (response: ServerResponse) => void response.end('yes')],
    ['JSON that says nothing', (response: ServerResponse) => void response.end('{"allow":"true"}')],
    ['null', (response: ServerResponse) => void response.end('null')],
    ['too much', (response: ServerResponse) => void response.end(`{"allow":true,"x":"${'y'.repeat(20_000)}"}`)],
    ['a broken connection', (response: ServerResponse) => void response.destroy()],
    ['nothing in time', () => undefined],
  ])('that answers %s is no answer: Deny makes the buyer try again, Allow lets them in', async (_, answer) => {
    const deny = await riskCheck((_asked, response) => answer(response), { timeout: 300 });
    expect(await deny.webhook.check(question)).toEqual({ problem: 'unavailable' });
    expect(deny.failures.length).toBe(1);
    const allow = await riskCheck((_asked, response) => answer(response), { timeout: 300, failurePolicy: 'Allow' });
    expect(await allow.webhook.check(question)).toBeUndefined();
  });

  test('that failed is asked again by the next try', async () => {
    let broken = true;
    const { webhook, asked } = await riskCheck((_, response) =>
      response.writeHead(broken ? 500 : 200).end('{"allow":true}'),
    );
    expect(await webhook.check(question)).toEqual({ problem: 'unavailable' });
    broken = false;
    expect(await webhook.check(question)).toBeUndefined();
    expect(asked.length).toBe(2);
  });
});
