// What storefronts answered, in words and rates. Pure.

import { words } from './format.js';

/** @typedef {'yes' | 'no' | 'trouble'} Tone yes: bought; no: refused for a good reason; trouble: the sale's own fault */

/** @type {Record<string, string>} */
const WORDS = {
  fresh: 'Token handed out',
  again: 'Same token again',
  sold: 'Order made',
  known: 'Order already made',
  'limit-reached': 'Buyer’s limit reached',
  'quantity-limit': 'Too many units at once',
  'not-qualified': 'Does not qualify',
  'reservations-lapsed': 'Let too many reservations lapse',
  'token-invalid': 'Token is not ours',
  'token-not-yours': 'Another buyer’s token',
  'not-open': 'Not open yet',
  'cross-site': 'A page of another site',
  'unsupported-media-type': 'Not sent as JSON',
  busy: 'Too many at once, come back',
  shortage: 'Units still on their way',
  unauthenticated: 'Buyer not known',
  unavailable: 'Something did not answer',
};
const YES = new Set(['fresh', 'again', 'sold', 'known']);
const TROUBLE = new Set(['unavailable', 'shortage', 'request-timeout']);

/**
 * Those that happened, yes first, then by how often.
 * @param {Readonly<Record<string, number>>} now
 * @param {Readonly<Record<string, number>> | undefined} before
 * @param {number} seconds from `before` to `now`
 */
export function outcomeRows(now, before, seconds) {
  return Object.entries(now)
    .filter(([code, count]) => count > 0 || code === 'fresh' || code === 'sold')
    .map(([code, count]) => ({
      code,
      words: WORDS[code] ?? words(code),
      tone: /** @type {Tone} */ (YES.has(code) ? 'yes' : TROUBLE.has(code) ? 'trouble' : 'no'),
      count,
      perSecond: before && seconds > 0 ? Math.max(0, (count - (before[code] ?? 0)) / seconds) : undefined,
    }))
    .sort((a, b) => Number(b.tone === 'yes') - Number(a.tone === 'yes') || b.count - a.count);
}
