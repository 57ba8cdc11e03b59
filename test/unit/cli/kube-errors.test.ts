// What a cluster refuses, in one line that says what to do; and which cluster is meant at all.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { UserError } from '../../../dataplane/runtime/user-error.ts';
import { inWords } from '../../../operator/cli/kube-errors.ts';
import { findKubeconfig } from '../../../operator/cli/kubeconfig.ts';
import { errorOfAnswer, KubeError } from '../../../operator/kube/errors.ts';

const forbidden = (where: string) =>
  `flashsales.flashsale.dev is forbidden: User "ada" cannot list resource "flashsales" in API group "flashsale.dev"${where}`;
const answer = (status: number, reason: string, message: string) =>
  errorOfAnswer('GET /apis', status, JSON.stringify({ kind: 'Status', reason, message }), undefined);

test.each<[string, KubeError, string]>([
  [
    'nobody listens',
    new KubeError('GET /apis: cannot be reached (ECONNREFUSED)', 0, 'Unreachable'),
    'the cluster at https://k8s:6443 cannot be reached: ECONNREFUSED',
  ],
  [
    'no answer comes',
    new KubeError('GET /apis: no answer within 10000 ms', 0, 'Timeout'),
    'the cluster at https://k8s:6443 does not answer',
  ],
  [
    'the certificate is not trusted',
    new KubeError('GET /apis: self-signed certificate in certificate chain', 0, 'Unreachable'),
    'the cluster at https://k8s:6443 shows a certificate that the kubeconfig does not trust: self-signed certificate in certificate chain',
  ],
  [
    'nobody is logged in',
    answer(401, 'Unauthorized', 'Unauthorized'),
    'the cluster at https://k8s:6443 does not know you; log in again, or choose another --context',
  ],
  [
    'the namespace is not theirs',
    answer(403, 'Forbidden', forbidden(' in the namespace "shop"')),
    'ada may not list flashsales in namespace shop; ask whoever runs the cluster, or choose another --context or --namespace',
  ],
  [
    'not all namespaces are theirs',
    answer(403, 'Forbidden', forbidden(' at the cluster scope')),
    'ada may not list flashsales in all namespaces; ask whoever runs the cluster, or choose another --context or --namespace',
  ],
  ['a policy forbids it', answer(403, 'Forbidden', 'not on Fridays'), 'the cluster forbids it: not on Fridays'],
  [
    'too many ask',
    answer(429, 'TooManyRequests', 'slow down'),
    'the cluster at https://k8s:6443 is too busy; try again in a moment',
  ],
  ['something breaks', answer(500, 'InternalError', 'etcd is full'), 'the cluster refused it: etcd is full'],
])('when %s', (_, error, line) => {
  const words = inWords(error, 'https://k8s:6443');
  expect(words).toBeInstanceOf(UserError);
  expect(words).toMatchObject({ message: line });
});

test('a fault of the program stays one', () => {
  const fault = new TypeError('x');
  expect(inWords(fault, '')).toBe(fault);
});

describe('the kubeconfig', () => {
  const folder = mkdtempSync(join(tmpdir(), 'flashsale-kubeconfig-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const write = (name: string, content: object | string) => {
    const file = join(folder, name);
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
    return file;
  };
  const config = (name: string, contexts: string[], current?: string) =>
    write(name, {
      clusters: [{ name, cluster: { server: `https://${name}:6443` } }],
      users: [{ name, user: {} }],
      contexts: contexts.map((context) => ({ name: context, context: { cluster: name, user: name } })),
      ...(current ? { 'current-context': current } : {}),
    });
  const one = config('one', ['shop', 'fans'], 'shop');
  const two = config('two', ['shop', 'staging'], 'staging');
  const oneAgain = write('one-again', {
    clusters: [{ name: 'one', cluster: { server: 'https://other:6443' } }],
    users: [{ name: 'one', user: {} }],
    contexts: [{ name: 'shop', context: { cluster: 'one', user: 'one' } }],
  });
  const server = (choice: object, env: NodeJS.ProcessEnv) => findKubeconfig(choice, env).getCurrentCluster()?.server;

  test.each<[string, object, NodeJS.ProcessEnv, string]>([
    ['is the one named', { kubeconfig: two }, { KUBECONFIG: one }, 'https://two:6443'],
    ['is KUBECONFIG’s', {}, { KUBECONFIG: one }, 'https://one:6443'],
    [
      'is of several files, the first of which decides',
      {},
      { KUBECONFIG: [one, two].join(delimiter) },
      'https://one:6443',
    ],
    [
      'takes the first of two that say the same',
      {},
      { KUBECONFIG: [one, oneAgain].join(delimiter) },
      'https://one:6443',
    ],
    [
      'may leave out files that do not exist',
      {},
      { KUBECONFIG: ['/nowhere', two].join(delimiter) },
      'https://two:6443',
    ],
    [
      'has the context asked for',
      { context: 'staging' },
      { KUBECONFIG: [one, two].join(delimiter) },
      'https://two:6443',
    ],
  ])('%s', (_, choice, env, expected) => {
    expect(server(choice, env)).toBe(expected);
  });

  test.each<[string, object, NodeJS.ProcessEnv, RegExp]>([
    [
      'nowhere',
      {},
      { HOME: '/nowhere' },
      /neither --kubeconfig nor KUBECONFIG names one, and \/nowhere\/.kube\/config/,
    ],
    ['not where KUBECONFIG says', {}, { KUBECONFIG: '/nowhere' }, /KUBECONFIG names \/nowhere, which does not exist/],
    ['not where --kubeconfig says', { kubeconfig: '/nowhere' }, {}, /there is no kubeconfig \/nowhere/],
    ['no YAML', { kubeconfig: write('broken', '{') }, {}, /broken cannot be read: /],
    ['anything else', { kubeconfig: write('text', 'hello') }, {}, /the kubeconfig has no current context/],
    ['empty', { kubeconfig: write('empty', '') }, {}, /empty cannot be read: /],
    [
      'without a current context',
      { kubeconfig: config('c', ['a', 'b']) },
      {},
      /no current context; name one .*: a, b$/,
    ],
    ['without that context', { kubeconfig: one, context: 'shopp' }, {}, /no context shopp; did you mean shop\?/],
    ['without any such context', { kubeconfig: one, context: 'x' }, {}, /no context x; there is shop, fans/],
    [
      'without its cluster',
      {
        kubeconfig: write('d', {
          clusters: [],
          users: [],
          contexts: [{ name: 'x', context: { cluster: 'gone', user: 'u' } }],
          'current-context': 'x',
        }),
      },
      {},
      /context x names the cluster gone, which is not in it/,
    ],
  ])('is %s', (_, choice, env, line) => {
    expect(() => findKubeconfig(choice, env)).toThrow(UserError);
    expect(() => findKubeconfig(choice, env)).toThrow(line);
  });
});
