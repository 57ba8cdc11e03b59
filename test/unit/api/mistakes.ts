// Every mistake a FlashSale can hold, with the words in which it is reported: one row each. The rows change the full
// example, which is valid; a row with `old` is an edit of a sale that exists.

import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/** Values by dotted path; undefined removes the field. */
export type Changes = Record<string, unknown>;

export interface Row {
  changes: Changes;
  /** What the sale was before, as changes of the full example. */
  old?: Changes;
  /** Every finding, in order. */
  expected: [path: string, message: string][];
}

const full: unknown = parse(readFileSync(new URL('../../../docs/examples/full.yaml', import.meta.url), 'utf8'));

/** The full example with changes, as a file would hold it: without defaults. */
export function changed(changes: Changes): Record<string, unknown> {
  const object = structuredClone(full) as Record<string, unknown>;
  for (const [path, value] of Object.entries(changes)) {
    const names = path.split('.');
    const last = names.pop() ?? '';
    let inner = object;
    for (const name of names) {
      inner[name] ??= {};
      inner = inner[name] as Record<string, unknown>;
    }
    if (value === undefined) delete inner[last];
    else inner[last] = value;
  }
  return object;
}

/** One changed field, one finding there. */
const wrong = (path: string, value: unknown, message: string): Row => ({
  changes: { [path]: value },
  expected: [[path, message]],
});

/** An edit that must not be made, from one value to another. */
const forbidden = (path: string, before: unknown, after: unknown, message: string): Row => ({
  old: { [path]: before },
  changes: { [path]: after },
  expected: [[path, message]],
});

const name =
  "must be 1 to 40 lower-case letters, digits and '-', starting with a letter and ending with a letter or digit, such as phone-launch, for pods, volumes and topics are named after it";
const sku =
  "must be letters, digits, '.', '_', '/' and '-', starting and ending with a letter or digit, such as PHONE-17-256-BLK";
const moment = 'must be a moment with its time zone, such as 2026-12-01T12:00:00Z or 2026-12-01T13:00:00+01:00';
const size = 'must be a quantity of at least 64Mi, such as 512Mi or 10Gi';
const shrink = 'cannot shrink, for volumes only grow; write the former size or a larger one';
const storageClass = 'cannot change once the volumes exist; put back what it was';
const cpu = 'must be a quantity of CPU above 0, such as 500m or 2';
const memory = 'must be a quantity of memory above 0, such as 512Mi or 4Gi';
const count = 'cannot shrink, for shards hold orders; write the former count or more';
const ttl = 'must be a duration from 5s to 1h, such as 120s or 10m';
const buyer = 'must be a buyer id of visible ASCII characters without spaces';
const url = 'must be an http or https URL with a host and without credentials, such as https://risk.example.com/check';
const jwks =
  'must be an https URL, or http to localhost or *.svc, such as https://id.example.com/.well-known/jwks.json';
const headerName =
  'must be the name of a header made for this, such as X-Buyer-Id; never Authorization, Cookie or Host';
const auth =
  'must have exactly one way to know a buyer: jwt: {jwksUri: https://id.example.com/jwks.json}; or trustedHeader: {name: X-Buyer-Id, proxySecretRef: {name: buyers-proxy}}, behind a proxy that authenticates; or, to let anybody buy as anybody, trustedHeader: {name: X-Buyer-Id, insecure: true}';
const proof =
  'must have exactly one of proxySecretRef: {name: buyers-proxy}, the secret that your proxy adds, and insecure: true, which lets anybody buy as anybody';
const deadline = 'must be a duration from 1s to 720h, such as 15m; leave it out if orders are final at checkout';
const server = 'must be host:port, such as kafka-0.example.com:9092';
const objectName = "must be an object's name of lower-case letters, digits, '-' and '.', such as my-config";
const key = "must be a key of letters, digits, '-', '_' and '.', such as ca.crt";
const list = 'must have ids, configMapRefs or both; to let everyone through, leave the whole list out';
const period = 'must be a duration from 10ms to 10m, such as 200ms; leave it out for n × k + m';
const autoscaled = 'must be at least 1 with autoscaling, which starts from there; to stop purchases, set paused';
const mostPods = 'must not be below replicas, which is the least autoscaling keeps; raise it, or lower replicas';
const long = (n: number) => 'x'.repeat(n);
const header = (trustedHeader: Record<string, unknown>, expected: Row['expected']): Row => ({
  changes: { 'spec.auth': { trustedHeader } },
  expected,
});

const origin = 'must be an origin in lower case without a path, such as https://shop.example.com';

export const ROWS: Row[] = [
  // What surrounds the spec
  wrong('apiVersion', 'flashsale.dev/v1', 'must be flashsale.dev/v1alpha1, got "flashsale.dev/v1"'),
  wrong('apiVersion', undefined, 'is required. The version of this API.'),
  wrong('kind', 'FlashSell', 'must be FlashSale, got "FlashSell"'),
  wrong('kind', undefined, 'is required. The kind of this object.'),
  wrong('metadata', undefined, 'is required. Name, namespace, labels and annotations.'),
  wrong('metadata.name', undefined, 'is required. Name of the sale, 1 to 40 characters.'),
  wrong('metadata.name', '', 'must be at least 1 character long, has 0'),
  wrong('metadata.name', 17, 'must be a text, got 17; put it in quotes'),
  wrong('metadata.name', 'Phone', `${name}, got "Phone"`),
  wrong('metadata.name', '1phone', `${name}, got "1phone"`),
  wrong('metadata.name', 'phone-', `${name}, got "phone-"`),
  wrong('metadata.name', 'phone.launch', `${name}, got "phone.launch"`),
  wrong(
    'metadata.name',
    'phone-cache',
    'must not end with -cache, -shard or -pool, for so the Services of another sale may be called, got "phone-cache"',
  ),
  wrong('metadata.name', long(41), `${name}, got "${long(41)}"`),
  wrong('metadata.name', long(254), 'must be at most 253 characters long, has 254'),
  wrong('metadata.nmae', 'x', 'unknown field; did you mean name?'),
  wrong('metadata.namespace', '', 'must be at least 1 character long, has 0'),
  wrong('metadata.labels', ['a'], 'must be a mapping of names to texts, got ["a"]'),
  {
    changes: { 'metadata.labels': { a: 1 } },
    expected: [['metadata.labels.a', 'must be a text, got 1; put it in quotes']],
  },
  wrong('spec', undefined, 'is required. What is sold, to whom, and on how much machinery.'),
  wrong('spec', 'PHONE', 'must be a mapping with sku, stock, window, …, got "PHONE"'),
  wrong('specs', {}, 'unknown field; did you mean spec?'),

  // What is sold
  wrong(
    'spec.sku',
    undefined,
    "is required. The product's stock keeping unit, as the shop's other systems know it; order events and exports of orders carry it.",
  ),
  wrong(
    'spec.sku',
    null,
    "is required. The product's stock keeping unit, as the shop's other systems know it; order events and exports of orders carry it.",
  ),
  wrong('spec.sku', 12345, 'must be a text, got 12345; put it in quotes'),
  wrong('spec.sku', false, 'must be a text, got false; put it in quotes'),
  wrong('spec.sku', '', `${sku}, got ""`),
  wrong('spec.sku', 'two words', `${sku}, got "two words"`),
  wrong('spec.sku', '-A', `${sku}, got "-A"`),
  wrong('spec.sku', long(65), 'must be at most 64 characters long, has 65'),
  forbidden(
    'spec.sku',
    'A',
    'B',
    'cannot change while the sale exists, for its orders are for that product; create another FlashSale for another one, got "B" where it was "A"',
  ),
  wrong('spec.stock', undefined, 'is required. Units ever put on sale, sold ones included.'),
  wrong('spec.stock', -5, 'must be at least 0 units, got -5'),
  wrong('spec.stock', 1.5, 'must be a whole number of units, got 1.5'),
  wrong('spec.stock', '100', 'must be a whole number of units, got "100"'),
  wrong('spec.stock', 'many', 'must be a whole number of units, got "many"'),
  wrong('spec.stock', 100_000_001, 'must be at most 100000000 units, got 100000001'),
  wrong('spec.stock', 1e300, 'must be at most 100000000 units, got 1e+300'),
  wrong('spec.window', '12:00', 'must be a mapping with opensAt, closesAt, …, got "12:00"'),
  wrong('spec.window.opensAt', 'tomorrow', `${moment}, got "tomorrow"`),
  wrong('spec.window.opensAt', '2026-12-01T12:00:00', `${moment}, got "2026-12-01T12:00:00"`),
  wrong('spec.window.opensAt', '2026-12-01', `${moment}, got "2026-12-01"`),
  wrong('spec.window.opensAt', '2026-02-30T12:00:00Z', `${moment}, got "2026-02-30T12:00:00Z"`),
  wrong('spec.window.opensAt', '2026-12-01T24:00:00Z', `${moment}, got "2026-12-01T24:00:00Z"`),
  wrong('spec.window.opensAt', '2026-12-01T12:00:00+15:00', `${moment}, got "2026-12-01T12:00:00+15:00"`),
  wrong('spec.window.opensAt', '2026-12-01t12:00:00z', `${moment}, got "2026-12-01t12:00:00z"`),
  wrong('spec.window.opensAt', '2026-12-01T12:00:00.0001Z', `${moment}, got "2026-12-01T12:00:00.0001Z"`),
  wrong('spec.window.closesAt', '2026-12-01 12:00:00Z', `${moment}, got "2026-12-01 12:00:00Z"`),
  wrong(
    'spec.window.closesAt',
    '2026-12-01T12:00:00Z',
    'must be later than opensAt; swap the two, or leave one out, got "2026-12-01T12:00:00Z"',
  ),
  wrong(
    'spec.window.closesAt',
    '2026-12-01T12:30:00+01:00',
    'must be later than opensAt; swap the two, or leave one out, got "2026-12-01T12:30:00+01:00"',
  ),
  wrong('spec.window.closes', '2026-12-01T12:00:00Z', 'unknown field; did you mean closesAt?'),
  wrong('spec.paused', 'maybe', 'must be true or false, got "maybe"'),
  wrong('spec.deletionPolicy', 'retain', 'must be one of Retain, Delete, got "retain"; did you mean Retain?'),
  wrong('spec.deletionPolicy', 'Keep', 'must be one of Retain, Delete, got "Keep"'),
  wrong('spec.replicas', 3, 'unknown field; did you mean spec.storefront.replicas?'),
  wrong('spec.perBuyer', 3, 'unknown field; did you mean spec.qualification.perBuyer?'),

  // On what
  wrong('spec.cache', undefined, 'is required. The cache tier, which admits buyers.'),
  wrong('spec.cache', 3, 'must be a mapping with nodes, durability, storage, …, got 3'),
  wrong('spec.cache.nodes', undefined, 'is required. Number of cache nodes.'),
  wrong('spec.cache.nodes', 0, 'must be at least 1 node, got 0'),
  wrong('spec.cache.nodes', 65, 'must be at most 64 nodes, got 65'),
  wrong('spec.cache.nodes', 2.5, 'must be a whole number of nodes, got 2.5'),
  wrong('spec.cache.durability', 'always', 'must be one of Always, EverySecond, got "always"; did you mean Always?'),
  wrong('spec.cache.durability', 'Never', 'must be one of Always, EverySecond, got "Never"'),
  wrong('spec.shards', undefined, 'is required. The databases that sell.'),
  wrong('spec.shards.count', undefined, 'is required. Number of shards.'),
  wrong('spec.shards.count', 0, 'must be at least 1 shard, got 0'),
  wrong('spec.shards.count', 257, 'must be at most 256 shards, got 257'),
  forbidden('spec.shards.count', 4, 3, `${count}, got 3 where it was 4`),
  ...['spec.cache.storage', 'spec.shards.storage'].flatMap((storage) => [
    wrong(`${storage}.size`, 10, 'must be a text, got 10; put it in quotes'),
    wrong(`${storage}.size`, '10', `${size}, got "10"`),
    wrong(`${storage}.size`, '10GB', `${size}, got "10GB"`),
    wrong(`${storage}.size`, '63Mi', `${size}, got "63Mi"`),
    forbidden(`${storage}.size`, '1Ti', '1023Gi', `${shrink}, got "1023Gi" where it was "1Ti"`),
    wrong(`${storage}.storageClassName`, '', 'must be at least 1 character long, has 0'),
    forbidden(`${storage}.storageClassName`, 'slow', 'fast', `${storageClass}, got "fast" where it was "slow"`),
    forbidden(`${storage}.storageClassName`, 'slow', undefined, storageClass),
    forbidden(`${storage}.storageClassName`, undefined, 'fast', `${storageClass}, got "fast" where it was nothing`),
  ]),
  ...['spec.cache.resources', 'spec.shards.resources', 'spec.storefront.resources'].flatMap((resources) => [
    wrong(`${resources}.requests.cpu`, true, 'must be a quantity, got true'),
    wrong(`${resources}.requests.cpu`, 0, `${cpu}, got 0`),
    wrong(`${resources}.requests.cpu`, -1, `${cpu}, got -1`),
    wrong(`${resources}.limits.cpu`, '2 cores', `${cpu}, got "2 cores"`),
    wrong(`${resources}.requests.memory`, '0', `${memory}, got "0"`),
    wrong(`${resources}.limits.memory`, '512MB', `${memory}, got "512MB"`),
    wrong(`${resources}.requests.cpu`, 64, 'must not be above limits.cpu; lower it, or raise the limit, got 64'),
    wrong(
      `${resources}.requests.memory`,
      '64Gi',
      'must not be above limits.memory; lower it, or raise the limit, got "64Gi"',
    ),
    wrong(`${resources}.requests.gpu`, 1, 'unknown field; did you mean cpu?'),
  ]),
  wrong('spec.storefront.replicas', -1, 'must be at least 0 pods, got -1'),
  wrong('spec.storefront.replicas', 201, 'must be at most 200 pods, got 201'),
  wrong('spec.storefront.replicas', 0, `${autoscaled}, got 0`),
  wrong('spec.storefront.autoscaling.maxReplicas', undefined, 'is required. The most storefront pods there may be.'),
  wrong('spec.storefront.autoscaling.maxReplicas', 5, `${mostPods}, got 5`),
  wrong('spec.storefront.autoscaling.maxReplicas', 201, 'must be at most 200 pods, got 201'),
  wrong('spec.storefront.connections.most', 9, 'must be at least 10 connections, got 9'),
  wrong('spec.storefront.connections.most', 100_001, 'must be at most 100000 connections, got 100001'),
  wrong('spec.storefront.connections.perAddress', 0, 'must be at least 1 connection, got 0'),
  wrong('spec.storefront.connections.perAddress', 100_001, 'must be at most 100000 connections, got 100001'),
  wrong('spec.storefront.autoscaling.cpuUtilization', 0, 'must be at least 1 percent, got 0'),
  wrong('spec.storefront.autoscaling.cpuUtilization', 101, 'must be at most 100 percent, got 101'),

  // To whom
  wrong('spec.token.ttl', '4999ms', `${ttl}, got "4999ms"`),
  wrong('spec.token.ttl', '1h1ms', `${ttl}, got "1h1ms"`),
  wrong('spec.token.ttl', '5 minutes', `${ttl}, got "5 minutes"`),
  wrong('spec.token.ttl', '1.5m', `${ttl}, got "1.5m"`),
  wrong('spec.token.ttl', '-120s', `${ttl}, got "-120s"`),
  wrong('spec.token.ttl', '', `${ttl}, got ""`),
  wrong('spec.token.ttl', '9999999h', `${ttl}, got "9999999h"`),
  wrong('spec.token.ttl', 120, 'must be a text, got 120; put it in quotes'),
  wrong('spec.token.ttl', '1s'.repeat(11), 'must be at most 20 characters long, has 22'),
  wrong('spec.qualification.perBuyer', 0, 'must be at least 1 unit, got 0'),
  wrong('spec.qualification.perBuyer', 10_001, 'must be at most 10000 units, got 10001'),
  wrong('spec.qualification.maxQuantity', 0, 'must be at least 1 unit, got 0'),
  wrong('spec.qualification.maxQuantity', 101, 'must be at most 100 units, got 101'),
  wrong('spec.qualification.reservations.maxLapsed', 0, 'must be at least 1 reservation, got 0'),
  wrong('spec.qualification.reservations.cooldown', '0s', 'must be a duration from 1s to 24h, such as 10m, got "0s"'),
  wrong('spec.qualification.reservations.cooldown', '25h', 'must be a duration from 1s to 24h, such as 10m, got "25h"'),
  wrong('spec.qualification.maxQuantity', 5, 'must not be above perBuyer; raise perBuyer, or lower maxQuantity, got 5'),
  {
    changes: { 'spec.qualification.rateLimit': {} },
    expected: [
      [
        'spec.qualification.rateLimit.perSecond',
        'is required. Attempts a buyer regains per second; 0.5 is one every two seconds.',
      ],
    ],
  },
  wrong(
    'spec.qualification.rateLimit.perSecond',
    0,
    'must be at least 0.01, which is one attempt in 100 seconds, got 0',
  ),
  wrong(
    'spec.qualification.rateLimit.perSecond',
    0.001,
    'must be at least 0.01, which is one attempt in 100 seconds, got 0.001',
  ),
  wrong('spec.qualification.rateLimit.perSecond', -1, 'must be at least 0 attempts per second, got -1'),
  wrong('spec.window.opensAt', ['2026-12-01T12:00:00Z'], 'must be a text, got ["2026-12-01T12:00:00Z"]'),
  wrong('spec.window.opensAt', '2026-13-01T12:00:00Z', `${moment}, got "2026-13-01T12:00:00Z"`),
  wrong('spec.window.opensAt', '2026-02-29T12:00:00Z', `${moment}, got "2026-02-29T12:00:00Z"`),
  wrong('spec.window.opensAt', '1999-12-31T12:00:00Z', `${moment}, got "1999-12-31T12:00:00Z"`),
  wrong('spec.qualification.rateLimit.perSecond', 1001, 'must be at most 1000 attempts per second, got 1001'),
  wrong('spec.qualification.rateLimit.perSecond', '5/s', 'must be a number, got "5/s"'),
  wrong('spec.qualification.rateLimit.burst', 0, 'must be at least 1 attempt, got 0'),
  wrong('spec.qualification.rateLimit.burst', 1001, 'must be at most 1000 attempts, got 1001'),
  ...['allowList', 'denyList'].flatMap((which): Row[] => {
    const at = `spec.qualification.${which}`;
    return [
      wrong(at, {}, list),
      wrong(`${at}.ids`, 'alice', 'must be a list (each item on a line of its own, after "- "), got "alice"'),
      {
        changes: { [`${at}.ids`]: ['alice', 7] },
        expected: [[`${at}.ids[1]`, 'must be a text, got 7; put it in quotes']],
      },
      {
        changes: { [`${at}.ids`]: ['a', 'b', 'a'] },
        expected: [[`${at}.ids[2]`, 'is a duplicate of another item, "a"; remove one']],
      },
      { changes: { [`${at}.ids`]: ['a', ''] }, expected: [[`${at}.ids[1]`, `${buyer}, got ""`]] },
      {
        changes: { [`${at}.ids`]: ['al ice', 'böb'] },
        expected: [
          [`${at}.ids[0]`, `${buyer}, got "al ice"`],
          [`${at}.ids[1]`, `${buyer}, got "böb"`],
        ],
      },
      {
        changes: { [`${at}.ids`]: [long(129)] },
        expected: [[`${at}.ids[0]`, 'must be at most 128 characters long, has 129']],
      },
      wrong(
        `${at}.ids`,
        Array.from({ length: 1001 }, (_, i) => `b${i}`),
        'must have at most 1000 items, has 1001',
      ),
      wrong(
        `${at}.configMapRefs`,
        Array.from({ length: 65 }, (_, i) => ({ name: `m${i}` })),
        'must have at most 64 items, has 65',
      ),
      {
        changes: { [`${at}.configMapRefs`]: [{ key: 'ids' }] },
        expected: [[`${at}.configMapRefs[0].name`, "is required. Name of the object, in the sale's namespace."]],
      },
      {
        changes: { [`${at}.configMapRefs`]: [{ name: 'Members' }] },
        expected: [[`${at}.configMapRefs[0].name`, `${objectName}, got "Members"`]],
      },
      {
        changes: { [`${at}.configMapRefs`]: [{ name: 'm', key: 'a/b' }] },
        expected: [[`${at}.configMapRefs[0].key`, `${key}, got "a/b"`]],
      },
    ];
  }),
  {
    changes: { 'spec.qualification.webhook': { timeout: '1s' } },
    expected: [['spec.qualification.webhook.url', 'is required. Where to ask; http or https, without credentials.']],
  },
  wrong('spec.qualification.webhook.url', 'risk.example.com', `${url}, got "risk.example.com"`),
  wrong('spec.qualification.webhook.url', 'ftp://risk.example.com', `${url}, got "ftp://risk.example.com"`),
  wrong('spec.qualification.webhook.url', 'https:///check', `${url}, got "https:///check"`),
  wrong(
    'spec.qualification.webhook.url',
    'https://me:secret@risk.example.com/',
    `${url}, got "https://me:secret@risk.example.com/"`,
  ),
  wrong(
    'spec.qualification.webhook.url',
    `https://risk/${long(1024)}`,
    'must be at most 1024 characters long, has 1037',
  ),
  wrong('spec.qualification.webhook.timeout', '9ms', 'must be a duration from 10ms to 10s, such as 500ms, got "9ms"'),
  wrong('spec.qualification.webhook.timeout', '11s', 'must be a duration from 10ms to 10s, such as 500ms, got "11s"'),
  wrong('spec.qualification.webhook.failurePolicy', 'Fail', 'must be one of Allow, Deny, got "Fail"'),
  ...['*', 'null', 'https://shop.example.com/', 'https://Shop.example.com', 'shop.example.com'].map((text) => ({
    changes: { 'spec.storefront.cors': { origins: [text] } },
    expected: [['spec.storefront.cors.origins[0]', `${origin}, got "${text}"`]] satisfies Row['expected'],
  })),
  {
    changes: { 'spec.storefront.cors': {} },
    expected: [['spec.storefront.cors.origins', 'is required. Origins, exactly as browsers send them.']],
  },
  wrong('spec.auth', undefined, auth),
  wrong('spec.auth', {}, auth),
  {
    changes: {
      'spec.auth': {
        trustedHeader: { name: 'X-Buyer-Id', insecure: true },
        jwt: { jwksUri: 'https://id.example.com' },
      },
    },
    expected: [['spec.auth', auth]],
  },
  header({ name: 'X-Buyer-Id' }, [['spec.auth.trustedHeader', proof]]),
  header({ name: 'X-Buyer-Id', insecure: false }, [['spec.auth.trustedHeader', proof]]),
  header({ name: 'X-Buyer-Id', insecure: true, proxySecretRef: { name: 'proxy' } }, [
    ['spec.auth.trustedHeader', proof],
  ]),
  header({ insecure: true }, [
    ['spec.auth.trustedHeader.name', "is required. The request header whose value is the buyer's id."],
  ]),
  header({ name: '', insecure: true }, [['spec.auth.trustedHeader.name', `${headerName}, got ""`]]),
  header({ name: 'X Buyer', insecure: true }, [['spec.auth.trustedHeader.name', `${headerName}, got "X Buyer"`]]),
  header({ name: 'authorization', insecure: true }, [
    ['spec.auth.trustedHeader.name', `${headerName}, got "authorization"`],
  ]),
  header({ name: long(65), insecure: true }, [
    ['spec.auth.trustedHeader.name', 'must be at most 64 characters long, has 65'],
  ]),
  header({ name: 'X-Buyer-Id', proxyHeader: 'Cookie', proxySecretRef: { name: 'proxy' } }, [
    ['spec.auth.trustedHeader.proxyHeader', `${headerName}, got "Cookie"`],
  ]),
  header({ name: 'X-Buyer-Id', proxyHeader: 'X-Buyer-Id', proxySecretRef: { name: 'proxy' } }, [
    [
      'spec.auth.trustedHeader.proxyHeader',
      'must be another header than name, for one carries the buyer and the other the proxy\'s secret, got "X-Buyer-Id"',
    ],
  ]),
  header({ name: 'X-Buyer-Id', proxySecretRef: { name: 'Proxy' } }, [
    ['spec.auth.trustedHeader.proxySecretRef.name', `${objectName}, got "Proxy"`],
  ]),
  header({ name: 'X-Buyer-Id', proxySecretRef: { name: 'proxy', key: 'a b' } }, [
    ['spec.auth.trustedHeader.proxySecretRef.key', `${key}, got "a b"`],
  ]),
  wrong('spec.auth.jwt.typ', '', 'must be at least 1 character long, has 0'),
  wrong(
    'spec.auth.jwt',
    {},
    'must have exactly one of jwksUri (public keys of an identity provider) and secretRef (one shared secret)',
  ),
  {
    changes: { 'spec.auth.jwt.secretRef': { name: 'shop-jwt' } },
    expected: [
      [
        'spec.auth.jwt',
        'must have exactly one of jwksUri (public keys of an identity provider) and secretRef (one shared secret)',
      ],
    ],
  },
  wrong('spec.auth.jwt.jwksUri', 'http://id.example.com/jwks', `${jwks}, got "http://id.example.com/jwks"`),
  wrong('spec.auth.jwt.jwksUri', 'https://', `${jwks}, got "https://"`),
  wrong('spec.auth.jwt.jwksUri', 'http://localhost.evil.example/', `${jwks}, got "http://localhost.evil.example/"`),
  wrong('spec.auth.jwt.issuer', '', 'must be at least 1 character long, has 0'),
  wrong('spec.auth.jwt.audience', long(513), 'must be at most 512 characters long, has 513'),
  wrong('spec.auth.jwt.buyerClaim', '', 'must be at least 1 character long, has 0'),
  {
    changes: { 'spec.auth.jwt': { secretRef: {} } },
    expected: [['spec.auth.jwt.secretRef.name', "is required. Name of the object, in the sale's namespace."]],
  },
  {
    changes: { 'spec.auth.jwt': { secretRef: { name: 'Shop' } } },
    expected: [['spec.auth.jwt.secretRef.name', `${objectName}, got "Shop"`]],
  },
  {
    changes: { 'spec.auth.jwt': { secretRef: { name: 'shop', key: 'a b' } } },
    expected: [['spec.auth.jwt.secretRef.key', `${key}, got "a b"`]],
  },
  wrong('spec.orders.paymentDeadline', '0s', `${deadline}, got "0s"`),
  wrong('spec.orders.paymentDeadline', '721h', `${deadline}, got "721h"`),
  wrong('spec.orders.paymentDeadline', 'never', `${deadline}, got "never"`),

  // Between the shards
  wrong(
    'spec.balancer.rule',
    'Treshold',
    'must be one of Average, Threshold, None, got "Treshold"; did you mean Threshold?',
  ),
  wrong('spec.balancer.deadBand', -0.1, 'must be at least 0, got -0.1'),
  wrong('spec.balancer.deadBand', 10, 'must be at most 1, got 10'),
  wrong('spec.balancer.deadBand', '5%', 'must be a number, got "5%"'),
  {
    changes: { 'spec.balancer.summaryPeriod': '11s', 'spec.balancer.period': '11s' },
    expected: [['spec.balancer.summaryPeriod', 'must be a duration from 0s to 10s, such as 100ms, got "11s"']],
  },
  {
    changes: { 'spec.balancer.summaryPeriod': '1s', 'spec.balancer.period': '999ms' },
    expected: [
      [
        'spec.balancer.period',
        'must not be shorter than summaryPeriod, or the balancer decides twice on the same news; raise it, or lower summaryPeriod, got "999ms"',
      ],
    ],
  },
  wrong('spec.balancer.summaryPeriod', '100', 'must be a duration from 0s to 10s, such as 100ms, got "100"'),
  wrong('spec.balancer.shardTime', '0ms', 'must be a duration from 1ms to 1m, such as 30ms, got "0ms"'),
  wrong('spec.balancer.shardTime', '2m', 'must be a duration from 1ms to 1m, such as 30ms, got "2m"'),
  wrong('spec.balancer.delay', '61s', 'must be a duration from 0s to 1m, such as 20ms, got "61s"'),
  wrong('spec.balancer.period', '11m', `${period}, got "11m"`),
  wrong('spec.balancer.period', 'soon', `${period}, got "soon"`),
  wrong(
    'spec.balancer.period',
    '49ms',
    'must not be shorter than summaryPeriod, or the balancer decides twice on the same news; raise it, or lower summaryPeriod, got "49ms"',
  ),
  wrong('spec.kafka.bootstrapServers', [], 'must have at least 1 item, has 0'),
  wrong(
    'spec.kafka.bootstrapServers',
    Array.from({ length: 33 }, (_, i) => `k${i}:9092`),
    'must have at most 32 items, has 33',
  ),
  ...['kafka', 'kafka:0', 'kafka:65536', 'https://kafka:9092', 'kafka:port'].map((address) => ({
    changes: { 'spec.kafka.bootstrapServers': [address] },
    expected: [['spec.kafka.bootstrapServers[0]', `${server}, got "${address}"`]] satisfies Row['expected'],
  })),
  {
    changes: { 'spec.kafka.bootstrapServers': ['k:1', 'k:1'] },
    expected: [['spec.kafka.bootstrapServers[1]', 'is a duplicate of another item, "k:1"; remove one']],
  },
  wrong('spec.kafka.replicationFactor', 0, 'must be at least 1 replica, got 0'),
  wrong('spec.kafka.replicationFactor', 10, 'must be at most 9 replicas, got 10'),
  wrong('spec.kafka.tls', true, 'must be a mapping with enabled, caSecretRef, …, got true'),
  wrong('spec.kafka.tls.caSecretRef.name', 'Kafka', `${objectName}, got "Kafka"`),
  wrong('spec.kafka.tls.caSecretRef.key', 'ca crt', `${key}, got "ca crt"`),
  wrong('spec.kafka.sasl.mechanism', 'GSSAPI', 'must be one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, got "GSSAPI"'),
  wrong(
    'spec.kafka.sasl.username',
    undefined,
    "is required. The user, who may create, read and write the sale's topics.",
  ),
  wrong('spec.kafka.sasl.username', '', 'must be at least 1 character long, has 0'),
  wrong(
    'spec.kafka.sasl.secretRef',
    undefined,
    `is required. Secret of the sale's namespace, labelled flashsale.dev/usable: "true", with the password.`,
  ),
  wrong('spec.kafka.sasl.secretRef.name', 'kafka_login', `${objectName}, got "kafka_login"`),
  wrong('spec.kafka.sasl.secretRef.key', '', `${key}, got ""`),
  {
    changes: { 'spec.kafka.bootstrapServers': undefined },
    expected: [
      ['spec.kafka', 'tls and sasl say how to reach a Kafka of your own; add its bootstrapServers, or remove them'],
    ],
  },
  {
    changes: { 'spec.kafka.bootstrapServers': undefined, 'spec.kafka.tls': undefined },
    expected: [
      ['spec.kafka', 'tls and sasl say how to reach a Kafka of your own; add its bootstrapServers, or remove them'],
      [
        'spec.kafka',
        'sasl sends a password; add tls: {} to encrypt it, or tls: {enabled: false} to state that the network is trusted',
      ],
    ],
  },
  {
    changes: { 'spec.kafka.tls': undefined },
    expected: [
      [
        'spec.kafka',
        'sasl sends a password; add tls: {} to encrypt it, or tls: {enabled: false} to state that the network is trusted',
      ],
    ],
  },
];
