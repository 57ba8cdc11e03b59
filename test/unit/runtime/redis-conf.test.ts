import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { redisConf } from '../../../dataplane/runtime/redis-conf.ts';

const conf = (durability: 'Always' | 'EverySecond') =>
  redisConf({
    bind: ['127.0.0.1'],
    port: 7000,
    folder: '/data with a space',
    durability,
    passwords: { agent: 'secret-1', storefront: 'secret-2', pool: 'secret-3', audit: 'secret-4' },
  }).split('\n');

test('R32: every write is in the file before its answer, or within a second, as the sale says', () => {
  expect(conf('Always')).toContain('appendfsync always');
  expect(conf('EverySecond')).toContain('appendfsync everysec');
  expect(conf('Always')).toContain('appendonly yes');
});

test('a node never forgets a key to make room', () => {
  expect(conf('Always')).toContain('maxmemory-policy noeviction');
  expect(conf('Always')).toContain('save ""');
});

test('only the agent is on at the start, and no password is written', () => {
  const users = conf('Always').filter((line) => line.startsWith('user '));
  expect(users.map((line) => line.split(' ').slice(0, 4).join(' '))).toEqual([
    'user default reset off',
    'user agent reset on',
    'user storefront reset off',
    'user pool reset off',
    'user audit reset off',
  ]);
  expect(conf('Always').join('\n')).not.toContain('secret-');
});

const LUA = join(import.meta.dirname, '..', '..', '..', 'dataplane', 'stores', 'cache-node', 'lua');
const SCRIPTS = globSync('*.lua', { cwd: LUA }).sort();
const read = (file: string) => readFileSync(join(LUA, file), 'utf8');
const keysIn = (file: string) =>
  [...read(file).matchAll(/call\('(?!INFO)[A-Z]+', '([a-z]+:?)'/g)].map(([, key = '']) => key);
/** None where a file is only a part of others. */
const usersOf = (file: string) => /^-- Users?: (.*)\.$/m.exec(read(file))?.[1]?.split(', ') ?? [];

test('the keys that scripts name and the users that run them are found', () => {
  expect(new Set(SCRIPTS.flatMap(keysIn))).toEqual(new Set(['node', 'pinned', 'sequences', 'b:']));
  expect(new Set(SCRIPTS.flatMap(usersOf))).toEqual(new Set(['agent', 'storefront', 'pool', 'audit']));
});

test.each(SCRIPTS)('%s is run by users who may touch every key that it names', (file) => {
  for (const user of usersOf(file)) {
    const rights = conf('Always').find((line) => line.startsWith(`user ${user} `)) ?? '';
    const patterns = rights.split(' ').flatMap((right) => /~(.*)/.exec(right)?.[1] ?? []);
    const may = (key: string) => patterns.some((pattern) => ['*', key, `${key}*`].includes(pattern));
    expect(keysIn(file).filter((key) => !may(key))).toEqual([]);
  }
});
