// The allow and deny lists: ids written in the configuration, or a file with one id a line, read again whenever it
// changes. Hundreds of thousands of ids load piece by piece between requests and are looked up in a hash set. A file
// that cannot be read keeps its last content; before the first reading nobody is judged by it.

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Logger } from '../common/log.ts';
import type { ListConfig } from '../protocol/config.ts';
import type { BuyerId, Millis } from '../protocol/units.ts';

const LOOK_EVERY: Millis = 1000;

export class BuyerList {
  readonly #inline: Set<BuyerId>;
  readonly #file: string | undefined;
  readonly #log: Logger;
  #fromFile: Set<BuyerId> | undefined;
  #seen = '';
  #reading = false;
  #timer: NodeJS.Timeout | undefined;

  /** A relative file is relative to the configuration's. */
  constructor(config: ListConfig, configFile: string, log: Logger) {
    this.#inline = new Set(config.ids);
    this.#file = config.file === undefined ? undefined : resolve(dirname(configFile), config.file);
    this.#log = log;
    if (this.#file === undefined) return;
    void this.refresh();
    this.#timer = setInterval(() => void this.refresh(), LOOK_EVERY).unref();
  }

  /** False until the file was read once. */
  get known(): boolean {
    return this.#file === undefined || this.#fromFile !== undefined;
  }

  has(buyer: BuyerId): boolean {
    return this.#inline.has(buyer) || (this.#fromFile?.has(buyer) ?? false);
  }

  /** Reads the file if it is another one than was read last. */
  async refresh(): Promise<void> {
    if (this.#file === undefined || this.#reading) return;
    this.#reading = true;
    try {
      const { ino, size, mtimeMs } = await stat(this.#file);
      const state = `${ino} ${size} ${mtimeMs}`;
      if (state === this.#seen) return;
      const ids = await readIds(this.#file);
      this.#fromFile = ids;
      this.#seen = state;
      this.#log.info({ file: this.#file, ids: ids.size }, 'a list of buyers was read');
    } catch (error) {
      this.#log.warn({ err: error, file: this.#file }, 'a list of buyers cannot be read; going on with the last one');
    } finally {
      this.#reading = false;
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

/** A piece of the file at a time, so that buyers are served in between. */
async function readIds(file: string): Promise<Set<BuyerId>> {
  const ids = new Set<BuyerId>();
  let begun = '';
  for await (const piece of createReadStream(file, { encoding: 'utf8' })) {
    const lines = `${begun}${piece}`.split('\n');
    begun = lines.pop() ?? '';
    for (const line of lines) ids.add(line.trim());
  }
  ids.add(begun.trim());
  ids.delete('');
  return ids;
}
