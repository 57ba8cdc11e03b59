// The strings of the API that mean a quantity: durations, moments, Kubernetes quantities. Parsing only; what is allowed
// where is said by crds/flashsale.yaml.

import type { Millis } from '../../dataplane/protocol/units.ts';

/** A span of time such as `500ms`, `120s` or `1h30m`. */
export type Duration = string;

/** A moment with its time zone, RFC 3339, such as `2026-12-01T12:00:00Z`. */
export type Timestamp = string;

/** A Kubernetes quantity such as `500m`, `2` or `10Gi`. */
export type Quantity = number | string;

const MILLIS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
const DURATION = /^(\d{1,6}(ms|s|m|h))+$/;
const PART = /(\d+)(ms|s|m|h)/g;

/** Throws a RangeError for text that no duration field would accept. */
export function parseDuration(text: Duration): Millis {
  if (!DURATION.test(text))
    throw new RangeError(`not a duration such as 500ms, 120s or 1h30m: ${JSON.stringify(text)}`);
  let millis = 0;
  for (const [, count, unit] of text.matchAll(PART)) millis += Number(count) * MILLIS[unit as keyof typeof MILLIS];
  return millis;
}

/** Milliseconds since 1970. Throws a RangeError for text that is not a moment. */
export function parseTimestamp(text: Timestamp): Millis {
  const millis = Date.parse(text);
  if (Number.isNaN(millis)) throw new RangeError(`not a moment such as 2026-12-01T12:00:00Z: ${JSON.stringify(text)}`);
  return millis;
}

const QUANTITY = /^([+-]?)(\d+)(?:\.(\d*))?(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?\d{1,2})?$/;
const BINARY = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const DECIMAL: Record<string, number> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };

/**
 * A quantity as a fraction of whole numbers, so that comparing is exact; undefined for text that is none.
 * The denominator is a power of ten.
 */
export function parseQuantity(text: string): { numerator: bigint; denominator: bigint } | undefined {
  const match = QUANTITY.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', suffix = ''] = match;
  let numerator = BigInt(whole + fraction) * (sign === '-' ? -1n : 1n);
  let exponent = -fraction.length;
  const binary = BINARY.indexOf(suffix);
  if (binary >= 0) numerator *= 1024n ** BigInt(binary + 1);
  else if (suffix.length > 1) exponent += Number(suffix.slice(1));
  else exponent += DECIMAL[suffix] ?? 0;
  return exponent >= 0
    ? { numerator: numerator * 10n ** BigInt(exponent), denominator: 1n }
    : { numerator, denominator: 10n ** BigInt(-exponent) };
}
