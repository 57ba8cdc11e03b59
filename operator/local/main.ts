// The supervisor as a process of its own: `node operator/local/main.ts --data DIR`. It does nothing until somebody
// applies a FlashSale by its socket, and goes away when nobody does. SIGINT and SIGTERM stop the sale in order.

import { parseArgs } from 'node:util';
import type { Millis } from '../../dataplane/protocol/units.ts';
import { makeLogger } from '../../dataplane/runtime/log.ts';
import { runSupervisor } from './run.ts';

/** Whoever started this process applies a sale within this time; otherwise it ends. */
const UNUSED: Millis = 30_000;

const { values } = parseArgs({ options: { data: { type: 'string' } } });
if (!values.data) throw new Error('needs --data DIR');
const running = await runSupervisor(values.data, { log: makeLogger('supervisor') });
setTimeout(() => {
  if (!running.supervisor.applied) void running.leave();
}, UNUSED).unref();
await running.stopped;
process.exit(0);
