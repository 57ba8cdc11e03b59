// One of several operators leads: the one that holds the Lease.
//
//   follow ──free, or not renewed for its duration──▶ lead ──not renewed within the deadline, taken, ──▶ lost: the
//      ▲              (we write, and are not refused)   │      or someone else's when read            program exits
//      └────────────────────── stop: given back ────────┘
//
// A leader that cannot renew stops before the others may take over: renewDeadline, counted from before the last renewal
// was sent, is shorter than leaseDuration, which they count from when they saw it.

import type { Millis } from '../../dataplane/protocol/units.ts';
import { systemClock } from '../../dataplane/runtime/clock.ts';
import type { Logger } from '../../dataplane/runtime/log.ts';
import { spread } from './backoff.ts';
import type { KubeClient } from './client.ts';
import { isConflict } from './errors.ts';
import { decideLease, holderOf, leaseOf, releasedLease, type Sighting, sighted } from './lease-decision.ts';
import { type KubeObject, RESOURCES } from './objects.ts';

export interface LeaseTiming {
  /** How long the others wait before they take over. Whole seconds. */
  leaseDuration: Millis;
  /** How long a leader that cannot renew goes on. Shorter. */
  renewDeadline: Millis;
  /** The time from one renewal, or look, to the next. It is much shorter. */
  retryPeriod: Millis;
}

export interface ElectOptions {
  /**
   * Better not the one that everything else uses: a renewal must not wait for its turn behind other requests. Its
   * timeout should leave room for more than one try within renewDeadline.
   */
  client: Pick<KubeClient, 'get' | 'create' | 'replace'>;
  namespace: string;
  name: string;
  /** The name of this process. No other one may ever have it, not even the next one in the same pod. */
  identity: string;
  /** Called once, when the Lease is ours. */
  lead(): void;
  /** Called at most once, after `lead`: somebody else may lead from now on, so nothing more may be done. */
  lost(reason: string): void;
  log: Logger;
  timing?: Partial<LeaseTiming> | undefined;
}

const TIMING: LeaseTiming = { leaseDuration: 15_000, renewDeadline: 10_000, retryPeriod: 2_000 };

/** Takes part in the election. `stop` gives the Lease back if it is ours, so what leads is to be stopped first. */
export function elect(options: ElectOptions): { stop(): Promise<void> } {
  const { client, namespace, name, identity, log } = options;
  const { leaseDuration, renewDeadline, retryPeriod } = { ...TIMING, ...options.timing };
  if (renewDeadline >= leaseDuration) throw new Error('renewDeadline must be shorter than leaseDuration');
  const mine = { namespace, name, me: identity, duration: leaseDuration };
  const stopping = new AbortController();
  /** Set while this process leads. `since` is the time before the newest successful renewal was sent. */
  let held: { lease: KubeObject; since: Millis } | undefined;
  let sighting: Sighting | undefined;
  let deadline: NodeJS.Timeout | undefined;
  let isLost = false;
  let failing = false;

  const lose = (reason: string) => {
    if (!held || stopping.signal.aborted) return;
    isLost = true;
    held = undefined;
    clearTimeout(deadline);
    stopping.abort();
    options.lost(reason);
  };

  /** Rings when the deadline is over, whatever a renewal under way is waiting for. */
  const watchDeadline = () => {
    clearTimeout(deadline);
    if (!held || stopping.signal.aborted) return;
    const left = held.since + renewDeadline - performance.now();
    if (left > 0) deadline = setTimeout(watchDeadline, left);
    else lose(`the lease could not be renewed within ${renewDeadline} ms`);
  };

  const write = async (before: KubeObject | undefined) => {
    const since = performance.now();
    const next = leaseOf(mine, before, new Date());
    const lease = before === undefined ? await client.create(next) : await client.replace(next);
    // Too late to lead on it: by now the others may count it as over.
    if (isLost || performance.now() - since >= renewDeadline) return;
    const first = held === undefined;
    held = { lease, since };
    // Written while we were being stopped: known only so that it can be given back.
    if (stopping.signal.aborted) return;
    watchDeadline();
    if (!first) return;
    log.info({ lease: name, identity }, 'leading');
    options.lead();
  };

  /** Reads the Lease, and takes or renews it if it may. */
  const look = async () => {
    const lease = await client.get(RESOURCES.Lease, namespace, name);
    const now = performance.now();
    sighting = lease && sighted(sighting, lease, now);
    const action = decideLease(lease, identity, sighting, now);
    if (held && lease && holderOf(lease) !== identity) lose(`${holderOf(lease) || 'nobody'} holds the lease now`);
    else if (action !== 'wait' && !stopping.signal.aborted) await write(lease);
  };

  const step = async () => {
    if (!held) return await look();
    // No read is needed as long as nobody else writes.
    await write(held.lease).catch((error) => {
      if (!isConflict(error)) throw error;
      return look();
    });
  };

  const run = async () => {
    const { signal } = stopping;
    while (!signal.aborted) {
      try {
        await step();
        failing = false;
      } catch (error) {
        // Somebody was faster: no failure, and seen at the next look.
        if (!isConflict(error)) {
          if (!failing) log.warn({ err: error, lease: name }, 'the lease could not be read or written; trying again');
          failing = true;
        }
      }
      await systemClock.sleep(held ? retryPeriod : spread(retryPeriod / 2, Math.random()), signal);
    }
  };

  const done = run();
  return {
    async stop() {
      stopping.abort();
      clearTimeout(deadline);
      await done;
      if (!held) return;
      const { lease } = held;
      held = undefined;
      await client.replace(releasedLease(lease, new Date())).catch((error) => {
        log.info({ err: error, lease: name }, 'the lease was not given back; the others wait until it is over');
      });
    },
  };
}
