// What the supervisor must remember of a sale from one start to the next. Without secrets: those are files of their
// own.

import { UserError } from '../../dataplane/runtime/user-error.ts';
import type { FlashSale } from '../api/flashsale.gen.ts';
import type { DataFolder } from './data-folder.ts';
import { readIfThere, writeDurably } from './files.ts';

export interface State {
  version: 1;
  /** The sale as last applied, with its defaults; metadata.generation counts the edits of spec and companions. */
  sale: FlashSale;
  /** Fingerprint of the ConfigMaps and Secrets that came with it. */
  companions: string;
  /** Cache nodes c0 … c(nodes−1) are kept running; more than the spec asks for while some are leaving. */
  nodes: number;
  ports: Record<string, number>;
  /** Storefronts listen on this port and those after it; absent: on any. */
  firstPort?: number;
  /** The console is served, on this port or on any; absent: it is not. */
  console?: { port?: number };
}

/** Returns undefined when nothing was ever applied here. */
export function readState(folder: DataFolder): State | undefined {
  const text = readIfThere(folder.state);
  if (text === undefined) return undefined;
  const state = parse(text);
  if (state?.version !== 1)
    throw new UserError(`${folder.state} is not this program's; choose another data folder with --data`);
  return state;
}

function parse(text: string): State | undefined {
  try {
    return JSON.parse(text) as State;
  } catch {
    return undefined;
  }
}

export const writeState = (folder: DataFolder, state: State): void =>
  writeDurably(folder.state, `${JSON.stringify(state, null, 2)}\n`);
