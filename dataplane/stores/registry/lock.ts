// Lets one pool agent act at a time, by an advisory lock in the pool's database, which a session holds and which ends
// with it. A holder that lost its session learns of it within seconds and must stop. Until then two may act, so nothing
// may depend on there being only one.

import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Millis } from '../../protocol/units.ts';
import { connectionConfig, type DatabaseAddress, DEFAULTS } from '../postgres.ts';

/** The lock's key: "pool" in ASCII. */
const KEY = 0x706f6f6c;
const ASK: Millis = 300;
const CHECK: Millis = 1000;

export interface HeldLock {
  /** This signal is aborted when the session is lost. */
  lost: AbortSignal;
  release(): Promise<void>;
}

/**
 * Waits for the lock for as long as it takes, even while the database is away. Resolves to undefined when `stop` is
 * aborted. `waiting` is called at each attempt with the reason for waiting: without an error, another agent holds the
 * lock.
 */
export async function acquireLock(
  address: DatabaseAddress,
  password: string,
  stop: AbortSignal,
  waiting: (error?: unknown) => void,
): Promise<HeldLock | undefined> {
  while (!stop.aborted) {
    const client = new pg.Client({
      ...connectionConfig(address, 'owner', password, { ...DEFAULTS, timeout: 2000 }),
      // A holder whose machine vanished must not hold it for the two hours that TCP would wait.
      options: '-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3',
    });
    const lost = new AbortController();
    client.on('error', () => lost.abort());
    client.on('end', () => lost.abort());
    try {
      await client.connect();
      while (!stop.aborted) {
        const { rows } = await client.query<{ held: boolean }>('SELECT pg_try_advisory_lock($1) AS held', [KEY]);
        if (rows[0]?.held) return held(client, lost);
        waiting();
        await sleep(ASK, undefined, { signal: stop }).catch(() => undefined);
      }
    } catch (error) {
      waiting(error);
      await sleep(ASK, undefined, { signal: stop }).catch(() => undefined);
    }
    // Not awaited: it never resolves for a client that never connected.
    client.end().catch(() => undefined);
  }
  return undefined;
}

function held(client: pg.Client, lost: AbortController): HeldLock {
  // A connection that hangs is as good as lost.
  const timer = setInterval(() => {
    client.query('SELECT 1').catch(() => lost.abort());
  }, CHECK);
  lost.signal.addEventListener('abort', () => {
    clearInterval(timer);
    client.end().catch(() => undefined);
  });
  return {
    lost: lost.signal,
    async release() {
      clearInterval(timer);
      if (!lost.signal.aborted) await client.end().catch(() => undefined);
    },
  };
}
