// Schemathesis reads the served OpenAPI document and sends what it allows and much that it does not, to a real sale.

import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSale, type TestSale } from '../../harness/sale.ts';

/** The version is hack/lib/servers.sh's to know. */
const program = process.env.FLASHSALE_SCHEMATHESIS ?? '';

/** Exit code and output. */
async function schemathesis(url: string, ...args: string[]): Promise<{ code: number; output: string }> {
  // It keeps what failed once in the folder it runs in, and would begin with that the next time.
  const folder = mkdtempSync(join(tmpdir(), 'flashsale-schemathesis-'));
  try {
    const { stdout } = await promisify(execFile)(
      program,
      [
        'run',
        `${url}/openapi.json`,
        '--no-color',
        '--seed',
        '1',
        '--max-examples',
        '40',
        '--request-timeout',
        '10',
        ...args,
      ],
      { timeout: 240_000, maxBuffer: 64 * 1024 * 1024, cwd: folder },
    );
    return { code: 0, output: stdout };
  } catch (error) {
    const { code, stdout } = error as { code: number; stdout: string };
    return { code, output: stdout };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('the OpenAPI document', () => {
  let sale: TestSale;
  beforeAll(async () => {
    if (!existsSync(program)) throw new Error('Schemathesis is not installed; hack/test integration does it');
    sale = await startSale({
      stock: 1000,
      cache: { nodes: 1 },
      shards: { count: 1 },
      // It follows links from a purchase to a checkout, and takes a token that has ended meanwhile for a broken promise.
      token: { ttl: '10m' },
      orders: { paymentDeadline: '1m' },
    });
  }, 90_000);
  afterAll(() => sale?.stop());

  it('R3 R34: whatever is sent, no answer is a 500 and none is undocumented', async () => {
    const [url = ''] = sale.storefrontUrls();
    // Any name in a trusted header is a buyer's: that check is for credentials.
    const { code, output } = await schemathesis(
      url,
      '--header',
      'X-Buyer-Id: fuzz',
      '--exclude-checks',
      'ignored_auth',
    );
    expect(code, output).toBe(0);
    expect(output).toMatch(/Operations:\s+6 selected/);
  }, 300_000);
});
