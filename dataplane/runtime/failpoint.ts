// Named places where a test may kill this very process, so that "between commit and settle" is a place and not a
// matter of luck. Without FLASHSALE_FAILPOINTS (a folder) this does nothing. With it, a process that reaches a
// point for which the folder has a file `<role>.<id>.<point>` (`<role>.<point>` without an id) removes the file and
// sends itself SIGKILL: once, without unwinding, exactly as a machine would die.

import { unlinkSync } from 'node:fs';
import { join } from 'node:path';

export type Failpoint =
  /** In a storefront, orders are committed, nobody has been answered, and nothing is settled. */
  | 'checkout-committed'
  /** In a cache agent, a low watermark is raised, and the units are not returned. */
  | 'expiry-fenced'
  /** In a cache agent, one step of a recovery is done. */
  | `recovery-${1 | 2 | 3 | 4 | 5}`
  /**
   * In the pool's agent, units are revoked at a node and not booked; or they are booked and granted, and not applied.
   */
  | 'refill-revoked'
  | 'refill-booked'
  /** In a shard agent, the state is read and not reported. */
  | 'relay-read'
  /** In an agent of a shard or of the pool, a command is executed, and its transfers are not sent. */
  | 'transfer-executed'
  /**
   * In an agent of a shard or of the pool, a transfer is applied (by the pool: forwarded), and nothing is sent or
   * reported.
   */
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
