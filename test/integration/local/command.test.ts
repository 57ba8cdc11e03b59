// Bad input at the command line: one clear line each, a non-zero exit, and nothing made. No server runs here.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { identify } from '../../../operator/local/identity.ts';
import { flashsale } from '../../harness/command.ts';

let state: string;
let sale: string;

const SALE = `apiVersion: flashsale.dev/v1alpha1
kind: FlashSale
metadata:
  name: phone
spec:
  sku: PHONE
  stock: 10
  cache:
    nodes: 1
  shards:
    count: 1
  auth: {trustedHeader: {name: X-Buyer-Id, insecure: true}}
`;

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'flashsale-command-'));
  sale = join(state, 'sale.yaml');
  writeFileSync(sale, SALE);
});
afterEach(() => rmSync(state, { recursive: true, force: true }));

const run = (args: string[], env: Record<string, string> = {}) => flashsale(state, args, env);
/** What was made beside the files of the test. */
const made = () => readdirSync(state).filter((name) => !name.endsWith('.yaml'));

describe('the command line', () => {
  test.each([
    [['upp'], "flashsale: unknown command 'upp' (Did you mean up?); see --help"],
    [['up'], "flashsale: required option '-f, --file <file>' not specified; see --help"],
    [['up', '-f', 'x', '--por', '1'], "flashsale: unknown option '--por' (Did you mean --port?); see --help"],
    [
      ['up', '-f', 'x', '--port', '0'],
      /^flashsale: option '--port <number>' argument '0' is invalid\. write a whole number from 1 to 65000; see --help$/,
    ],
    [['up', '-f', 'x', '--timeout', 'soon'], /argument 'soon' is invalid/],
    [['status', '-o', 'xml'], /argument 'xml' is invalid\. Allowed choices are text, json\.; see --help$/],
    [['orders', '-o', 'text'], /argument 'text' is invalid\. Allowed choices are csv, json, ndjson\.; see --help$/],
    [['orders', '--since', 'yesterday'], /write a moment with its time zone, such as 2026-12-01T12:00:00Z, or an age/],
    [['down', 'a', 'b'], /^flashsale: too many arguments for 'down'/],
  ])('%j is refused with exit code 2', async (args, message) => {
    const { code, stdout, stderr } = await run(args);
    expect(stderr).toEqual([typeof message === 'string' ? message : expect.stringMatching(message)]);
    expect({ code, stdout, made: made() }).toEqual({ code: 2, stdout: '', made: [] });
  });

  test('every command explains itself with examples', async () => {
    for (const command of ['up', 'down', 'orders', 'plan', 'render', 'status']) {
      const { code, stdout } = await run([command, '--help']);
      expect(code).toBe(0);
      expect(stdout).toContain(`Usage: flashsale ${command}`);
      expect(stdout).toContain(`$ flashsale ${command}`);
    }
  });

  test('the version is the package’s', async () => {
    expect(await run(['--version'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });
});

describe('a file', () => {
  test.each<[string, string, string[], string]>([
    ['is missing', '', ['-f', 'nowhere.yaml'], 'flashsale: cannot read nowhere.yaml: there is no such file'],
    ['is no YAML', 'spec: [', ['-f', 'bad.yaml'], 'bad.yaml:1: is not valid YAML'],
    ['has no sale', 'kind: Pod\n', ['-f', 'bad.yaml'], 'bad.yaml:1: has no FlashSale, only Pod'],
    ['has an unknown field', SALE.replace('stock:', 'stok:'), ['-f', 'bad.yaml'], 'bad.yaml:7: spec.stok'],
    ['breaks a rule', SALE.replace('stock: 10', 'stock: -1'), ['-f', 'bad.yaml'], 'bad.yaml:7: spec.stock'],
    [
      'refers to what is not in it',
      `${SALE}  qualification: {denyList: {configMapRefs: [{name: bots}]}}\n`,
      ['-f', 'bad.yaml'],
      'refers to ConfigMap bots, which is not in this file',
    ],
  ])('that %s is refused by its line, by every command that reads one', async (_, text, args, message) => {
    writeFileSync(join(state, 'bad.yaml'), text);
    const inFolder = args.map((arg) => (arg === 'bad.yaml' ? join(state, arg) : arg));
    for (const command of ['up', 'plan', 'render']) {
      const { code, stdout, stderr } = await run([command, ...inFolder]);
      expect(stderr.join('\n')).toContain(message);
      expect(stderr.every((line) => line.startsWith('flashsale: '))).toBe(true);
      expect({ code, stdout, made: made() }).toEqual({ code: 1, stdout: '', made: [] });
    }
  });
});

describe('a machine', () => {
  test.each<[string, Record<string, string>, RegExp]>([
    [
      'redis-server',
      { FLASHSALE_REDIS_SERVER: '/nowhere/redis-server' },
      /^flashsale: redis-server is missing: install it \(Debian: apt-get install redis-server\)/,
    ],
    [
      'PostgreSQL',
      { FLASHSALE_POSTGRES_BIN: '/nowhere' },
      /^flashsale: PostgreSQL is missing: install it \(Debian: apt-get install postgresql\)/,
    ],
    ['Java', { FLASHSALE_JAVA: '/nowhere/java' }, /^flashsale: Java 17 or newer, for Kafka, is missing: install it/],
    [
      'Kafka',
      { FLASHSALE_KAFKA_LIBS: '/nowhere' },
      /^flashsale: Kafka \(no jars in \/nowhere\) is missing: run hack\/flashsale/,
    ],
  ])('without %s is told what to install', async (_, env, message) => {
    const { code, stderr } = await run(['up', '-f', sale], env);
    expect(stderr).toEqual([expect.stringMatching(message)]);
    expect({ code, made: made() }).toEqual({ code: 1, made: [] });
  });

  test('needs neither Java nor Kafka for a sale with a Kafka of its own', async () => {
    writeFileSync(sale, `${SALE}  kafka: {bootstrapServers: [broker:9092]}\n`);
    const { code } = await run(['plan', '-f', sale], { FLASHSALE_JAVA: '/nowhere', FLASHSALE_KAFKA_LIBS: '/nowhere' });
    expect(code).toBe(0);
  });

  test('that does not let us write the data folder is named', async () => {
    writeFileSync(join(state, 'file.yaml'), '');
    const { code, stderr } = await run(['up', '-f', sale, '--data', join(state, 'file.yaml', 'data')]);
    expect(stderr.at(-1)).toMatch(
      /^flashsale: cannot use the data folder .*file\.yaml\/data: .*; choose another one with --data$/,
    );
    expect(code).toBe(1);
  });

  test('has no room for a socket in a folder of a very long name', async () => {
    const { code, stderr } = await run(['up', '-f', sale, '--data', join(state, 'x'.repeat(120))]);
    expect(stderr.at(-1)).toMatch(
      /^flashsale: the data folder's path is too long for a Unix socket; choose a shorter one/,
    );
    expect({ code, made: made() }).toEqual({ code: 1, made: [] });
  });
});

describe('a sale', () => {
  test('is not guessed where there is none', async () => {
    for (const command of ['status', 'down']) {
      const { code, stderr } = await run([command]);
      expect(stderr).toEqual(['flashsale: there is no sale on this machine yet; start one with flashsale up -f FILE']);
      expect(code).toBe(1);
    }
  });

  test('is not guessed where there are several', async () => {
    for (const name of ['default.a', 'shop.b']) {
      mkdirSync(join(state, 'flashsale', name), { recursive: true });
      writeFileSync(join(state, 'flashsale', name, 'state.json'), '{}');
    }
    expect((await run(['status'])).stderr).toEqual(['flashsale: say which sale you mean: default/a, shop/b']);
    expect((await run(['status', 'c'])).stderr).toEqual([
      'flashsale: there is no sale default/c on this machine; there is default/a, shop/b',
    ]);
  });

  test('that does not run is said not to', async () => {
    const { code, stderr } = await run(['status', '-f', sale]);
    expect(stderr).toEqual(['flashsale: no supervisor runs this sale; start it with flashsale up']);
    expect(code).toBe(1);
    expect(await run(['down', '-f', sale])).toMatchObject({
      code: 0,
      stdout: 'nothing was running; nothing was kept\n',
    });
  });

  test('is not put into a folder where other things lie, nor are those removed', async () => {
    const { code, stderr } = await run(['up', '-f', sale, '--data', state]);
    expect(stderr.at(-1)).toBe(
      `flashsale: ${state} is no data folder of a sale: sale.yaml lies in it; choose an empty folder with --data`,
    );
    expect(code).toBe(1);
    writeFileSync(join(state, 'config.json'), '{}');
    const wiped = await run(['down', '--data', state, '--wipe']);
    expect(wiped.stderr).toEqual([`flashsale: ${state} was not removed: sale.yaml lies in it, which is not ours`]);
    expect({ code: wiped.code, made: made() }).toEqual({ code: 1, made: ['config.json'] });
  });

  test('is found by its file even when that was edited badly', async () => {
    writeFileSync(sale, SALE.replace('stock: 10', 'stock: many'));
    expect(await run(['down', '-f', sale])).toMatchObject({ code: 0 });
  });

  test('of another program in the data folder is left alone', async () => {
    writeFileSync(join(state, 'state.json'), 'something else');
    const { code, stderr } = await run(['up', '-f', sale, '--data', state]);
    expect(stderr).toEqual([
      `flashsale: ${join(state, 'state.json')} is not this program's; choose another data folder with --data`,
    ]);
    expect(code).toBe(1);
  });

  test('whose supervisor lives but does not listen is not started twice', async () => {
    const data = join(state, 'flashsale', 'default.phone');
    mkdirSync(join(data, 'run'), { recursive: true });
    writeFileSync(join(data, 'run', 'supervisor.lock'), JSON.stringify(identify(process.pid)));
    const { code, stderr } = await run(['up', '-f', sale, '--foreground']);
    expect(stderr.at(-1)).toBe(`flashsale: another supervisor runs the sale in ${data}`);
    expect(code).toBe(1);
  });

  test.each(['--port', '--console'])('cannot have a port that another program uses (%s)', async (option) => {
    const other = createServer();
    const port = await new Promise<number>((resolve) => {
      other.listen(0, '127.0.0.1', () => {
        const address = other.address();
        resolve(typeof address === 'object' && address ? address.port : 0);
      });
    });
    const { code, stderr } = await run(['up', '-f', sale, '--foreground', option, String(port)]);
    other.close();
    expect(stderr.at(-1)).toBe(
      `flashsale: port ${port} is in use by another program; choose another one with ${option}`,
    );
    expect(code).toBe(1);
    expect(existsSync(join(state, 'flashsale', 'default.phone', 'state.json'))).toBe(false);
  });
});
