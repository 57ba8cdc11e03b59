// The allow and deny lists: ids written in the configuration, and files with one id a line, each read again whenever it
// changes. Hundreds of thousands of ids load piece by piece between requests and are looked up in hash sets. A file
// that cannot be read keeps its last content; before every file was read once, the list decides about nobody. A list
// that comes by an edit has a stand-in until then, because a pod that was started before the edit may never see the new
// file.

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { ListConfig } from '../protocol/config.ts';
import type { BuyerId, Millis } from '../protocol/units.ts';
import type { Logger } from '../runtime/log.ts';

const LOOK_EVERY: Millis = 1000;

/** Decides in place of a list while its files are not read. */
export type StandIn = (buyer: BuyerId) => boolean;

interface ListFile {
  path: string;
  /** Undefined until it was read once. */
  ids: Set<BuyerId> | undefined;
  /** The file's inode, size and time when it was read last; empty before that. */
  seen: string;
}

export class BuyerList {
  readonly #inline: Set<BuyerId>;
  readonly #files: ListFile[];
  readonly #log: Logger;
  #standIn: StandIn | undefined;
  #reading = false;
  #timer: NodeJS.Timeout | undefined;

  /** Relative names of files are relative to the configuration's file. */
  constructor({ ids, files = [] }: ListConfig, configFile: string, log: Logger, standIn?: StandIn) {
    this.#inline = new Set(ids);
    this.#standIn = files.length > 0 ? standIn : undefined;
    this.#files = files.map((file) => ({ path: resolve(dirname(configFile), file), ids: undefined, seen: '' }));
    this.#log = log;
    if (files.length === 0) return;
    void this.refresh();
    this.#timer = setInterval(() => void this.refresh(), LOOK_EVERY).unref();
  }

  /** True when the list can decide. Without a stand-in, that is once every file was read. */
  get known(): boolean {
    return this.#standIn !== undefined || this.#isRead();
  }

  has(buyer: BuyerId): boolean {
    const listed = this.#inline.has(buyer) || this.#files.some(({ ids }) => ids?.has(buyer));
    return listed || (this.#standIn?.(buyer) ?? false);
  }

  #isRead(): boolean {
    return this.#files.every(({ ids }) => ids !== undefined);
  }

  /** Reads the files that have changed since they were read last. */
  async refresh(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    for (const file of this.#files) await this.#read(file);
    if (this.#isRead()) this.#standIn = undefined;
    this.#reading = false;
  }

  async #read(file: ListFile): Promise<void> {
    const { path } = file;
    try {
      const { ino, size, mtimeMs } = await stat(path);
      const state = `${ino} ${size} ${mtimeMs}`;
      if (state === file.seen) return;
      file.ids = await readIds(path);
      file.seen = state;
      this.#log.info({ file: path, ids: file.ids.size }, 'a list of buyers was read');
    } catch (error) {
      this.#log.warn({ err: error, file: path }, 'a list of buyers cannot be read; going on with the last one');
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

/** Reads the file piece by piece, so that buyers are served in between. */
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
