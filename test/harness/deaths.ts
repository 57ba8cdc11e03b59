// Deaths at exact places, and the proof that they happened: the trap was sprung, the process is another one, and it
// is ready.

import type { Failpoint } from '../../dataplane/runtime/failpoint.ts';
import type { TestSale } from './sale.ts';
import { until } from './until.ts';

/** The processes in which a role of this id runs; of storefronts nobody knows which one it will be. */
const runsIn = (role: string, id: string | undefined) => (name: string) => {
  if (role === 'storefront') return name.startsWith('storefront-');
  return name === (id === 'pool' ? 'pool-agent' : `${role}-${id}`);
};

/** Sets the trap now; resolves when somebody died in it and the next one is ready. */
export async function diesAt(
  sale: TestSale,
  role: 'storefront' | 'cache-agent' | 'shard-agent',
  id: string | undefined,
  point: Failpoint,
): Promise<void> {
  const isOne = runsIn(role, id);
  const ones = () => sale.processes.list().filter(({ name }) => isOne(name));
  const restarts = () => ones().reduce((sum, process) => sum + process.restarts, 0);
  const before = restarts();
  sale.failAt(role, id, point);
  await until(`a death at ${point}`, () => sale.failed(role, id, point));
  await until(`the next ${role}`, () => restarts() > before);
  for (const { name } of ones()) await sale.processes.ready(name);
}

/** Dies on the spot; resolves when another process of the name is ready. */
export async function dies(sale: TestSale, name: string): Promise<void> {
  const pid = () => sale.processes.list().find((process) => process.name === name)?.pid;
  const before = pid();
  await sale.processes.kill9(name);
  await sale.processes.ready(name);
  if (before === undefined || pid() === before) throw new Error(`${name} did not die`);
}
