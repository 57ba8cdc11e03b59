// Named places where a test may kill this very process, so that "between commit and settle" is a place and not a
// matter of luck. Without FLASHSALE_FAILPOINTS (a folder) this does nothing. With it, a process that reaches a
// point for which the folder has a file `<role>.<id>.<point>` (`<role>.<point>` without an id) removes the file and
// sends itself SIGKILL: once, without unwinding, exactly as a machine would die.

import { unlinkSync } from 'node:fs';
import { join } from 'node:path';

export type Failpoint =
  /** Storefront: orders are committed, nobody has been answered, nothing is settled. */
  | 'checkout-committed'
  /** Cache agent: low watermark is raised, the units are not returned. */
  | 'expiry-fenced'
  /** Cache agent: after each step of a recovery. */
  | `recovery-${1 | 2 | 3 | 4 | 5}`
  /** Pool agent: a node revoked, nothing is booked; booked and granted, not applied. */
  | 'refill-revoked'
  | 'refill-booked'
  /** Shard agent: the state is read, nothing is reported. */
  | 'relay-read'
  /** Shard agent (the pool's too): a command is executed, its transfers are not sent. */
  | 'transfer-executed'
  /** Shard agent (the pool's too): a transfer is applied (by the pool: forwarded), nothing is sent or reported. */
  | 'transfer-received';

const folder = process.env.FLASHSALE_FAILPOINTS;

export const failpoint: (role: string, id: string | undefined, point: Failpoint) => void =
  folder === undefined
    ? () => undefined
    : (role, id, point) => {
        try {
          unlinkSync(join(folder, [role, ...(id === undefined ? [] : [id]), point].join('.')));
        } catch {
          return;
        }
        process.kill(process.pid, 'SIGKILL');
      };
