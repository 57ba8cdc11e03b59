// Ports for the servers of a test. They lie below the range from which the system takes the ports of clients, so that a
// server which is killed and started again on its port never finds somebody's connection there.

import { isFree, Ports } from '../../operator/local/ports.ts';
import { until } from './until.ts';

const ports = new Ports({}, () => undefined);
let asked = 0;

/** Nobody listens there at this moment, and this process gets no port twice. */
export const freePort = (): Promise<number> => ports.choose(String(asked++));

export async function freePorts(count: number): Promise<number[]> {
  const found: number[] = [];
  while (found.length < count) found.push(await freePort());
  return found;
}

/** The first of two in a row. */
export const twoFreePorts = (): Promise<number> =>
  until('two free ports in a row', async () => {
    const first = await freePort();
    return (await isFree(first + 1)) && first;
  });
