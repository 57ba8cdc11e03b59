// Keeps the role label of the operator's own pod: off from the start, on once it leads. A container that restarts finds
// the labels that the one before left, so the start waits for the label to go, though not for long. Nothing else waits:
// whoever cannot be labelled leads all the same.

import type { Millis } from '../../dataplane/protocol/units.ts';
import { systemClock } from '../../dataplane/runtime/clock.ts';
import type { Logger } from '../../dataplane/runtime/log.ts';
import type { KubeClient } from './client.ts';
import { RESOURCES } from './objects.ts';
import { type OwnPod, type Role, rolePatch, untilNextWrite } from './role.ts';

export interface RoleLabelOptions {
  client: Pick<KubeClient, 'patch'>;
  pod: OwnPod;
  log: Logger;
}

export interface RoleLabel {
  lead(): void;
  /** Writes no more; the label stays as it is. */
  stop(): void;
}

const FIRST_WRITE: Millis = 3000;

/** Resolves when the first write has worked or failed, or takes too long. Never rejects. */
export async function keepRoleLabel({ client, pod, log }: RoleLabelOptions): Promise<RoleLabel> {
  const tried = new AbortController();
  let role: Role = 'standby';
  let failures = 0;
  let stopped = false;
  /** Aborted when there is something new to be done. */
  let rest = new AbortController();

  const write = async (said: Role) => {
    try {
      await client.patch(RESOURCES.Pod, pod.namespace, pod.name, rolePatch(said));
      failures = 0;
    } catch (error) {
      // The other role is written at once.
      if (stopped || said !== role) return;
      if (failures === 0)
        log.warn({ err: error, pod: pod.name, label: role }, 'this pod could not be labelled; trying again');
      failures++;
    }
  };

  // One write at a time: that the label goes must not come after that it is put on.
  const run = async () => {
    while (!stopped) {
      rest = new AbortController();
      await write(role);
      tried.abort();
      await systemClock.sleep(untilNextWrite(failures, Math.random()), rest.signal);
    }
  };

  void run();
  await systemClock.sleep(FIRST_WRITE, tried.signal);
  return {
    lead() {
      role = 'leader';
      failures = 0;
      rest.abort();
    },
    stop() {
      stopped = true;
      rest.abort();
    },
  };
}
