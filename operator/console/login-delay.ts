// How fast somebody may try credentials. After a failure, every further attempt from the same address waits for its turn,
// right or wrong, so that guessing many at once is no faster than one by one; who waits too long is turned away
// unheard. Failures are forgotten a while after the last one. Pure but for what it remembers.

import { LRUCache } from 'lru-cache';
import type { Millis } from '../../dataplane/protocol/units.ts';

/** The wait doubles with each failure, up to this. */
const LONGEST: Millis = 4000;
/** Nobody's request is held for longer; that also bounds how many wait. */
const MOST_WAIT: Millis = 5000;
const FORGOTTEN_AFTER: Millis = 60_000;
const MOST_ADDRESSES = 10_000;

interface Tried {
  failures: number;
  /** When the next attempt has its turn. */
  nextAt: Millis;
  lastFailure: Millis;
}

export class LoginDelay {
  readonly #first: Millis;
  readonly #tried = new LRUCache<string, Tried>({ max: MOST_ADDRESSES });

  /** `first` is the wait after the first failure. */
  constructor(first: Millis = 250) {
    this.#first = first;
  }

  /** Takes a turn. Returns how long it is to be waited for; undefined: too long, and no turn was taken. */
  turn(address: string, now: Millis): Millis | undefined {
    const key = clientOf(address);
    const tried = this.#tried.get(key);
    if (tried === undefined) return 0;
    if (now - tried.lastFailure > FORGOTTEN_AFTER) {
      this.#tried.delete(key);
      return 0;
    }
    const wait = Math.max(0, tried.nextAt - now);
    if (wait > MOST_WAIT) return undefined;
    tried.nextAt = now + wait + this.#pause(tried.failures);
    return wait;
  }

  failed(address: string, now: Millis): void {
    const key = clientOf(address);
    const { failures = 0, nextAt = 0 } = this.#tried.get(key) ?? {};
    const pause = this.#pause(failures + 1);
    this.#tried.set(key, { failures: failures + 1, nextAt: Math.max(nextAt, now + pause), lastFailure: now });
  }

  #pause(failures: number): Millis {
    return Math.max(this.#first, Math.min(LONGEST, this.#first * 2 ** (failures - 1)));
  }
}

/** Returns whom an address stands for: a household has a whole /64 of IPv6 addresses. */
export function clientOf(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address;
  const [head = ''] = address.split('::');
  return [...head.split(':'), '0', '0', '0', '0'].slice(0, 4).join(':');
}
