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
