// Which port each part of a sale listens on: chosen once, so that addresses stay the same over `down` and `up`;
// chosen again only when somebody else has taken it. Never one a buyer was promised by number: that is a `UserError`.

import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../dataplane/runtime/user-error.ts';

/** Below the ranges systems hand out by themselves, so that no client's connection ever sits on one. */
const LOWEST = 20_000;
const HIGHEST = 32_000;
export const HOST = '127.0.0.1';

/** Whether a server could listen there now. */
export const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: HOST, exclusive: true }, () => server.close(() => resolve(true)));
  });

/** A process that has just ended may keep its port for a moment. */
async function becomesFree(port: number): Promise<boolean> {
  for (let attempts = 0; attempts < 5; attempts++) {
    if (await isFree(port)) return true;
    await sleep(100);
  }
  return false;
}

export class Ports {
  readonly #chosen: Record<string, number>;
  readonly #changed: () => void;

  /** `changed` is called after every choice, to write it down. */
  constructor(chosen: Record<string, number>, changed: () => void) {
    this.#chosen = { ...chosen };
    this.#changed = changed;
  }

  /** The port of `name`; the first time one that is free. */
  async choose(name: string): Promise<number> {
    return this.#chosen[name] ?? (await this.#another(name));
  }

  /**
   * Before its owner starts: the same port if it is free, otherwise another one. `wanted`: this one and no other, as
   * asked for by `option`. True: it is another one than before.
   */
  async claim(name: string, wanted?: number, option = '--port'): Promise<boolean> {
    const before = this.#chosen[name];
    if (wanted !== undefined) {
      if (!(await isFree(wanted)))
        throw new UserError(`port ${wanted} is in use by another program; choose another one with ${option}`);
      this.#keep(name, wanted);
    } else if (before === undefined || !(await becomesFree(before))) await this.#another(name);
    return this.#chosen[name] !== before;
  }

  get all(): Readonly<Record<string, number>> {
    return this.#chosen;
  }

  async #another(name: string): Promise<number> {
    const start = randomInt(LOWEST, HIGHEST);
    for (let i = 0; i < HIGHEST - LOWEST; i++) {
      const port = LOWEST + ((start - LOWEST + i) % (HIGHEST - LOWEST));
      if (Object.values(this.#chosen).includes(port) || !(await isFree(port))) continue;
      this.#keep(name, port);
      return port;
    }
    throw new UserError(`no port from ${LOWEST} to ${HIGHEST - 1} is free on ${HOST}; stop something that uses them`);
  }

  #keep(name: string, port: number): void {
    if (this.#chosen[name] === port) return;
    this.#chosen[name] = port;
    this.#changed();
  }
}
