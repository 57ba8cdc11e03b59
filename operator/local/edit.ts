// A FlashSale file → what it means for this machine, or why it is refused. Reads no store and changes nothing, so
// that a refused edit has changed nothing.

import { isDeepStrictEqual } from 'node:util';
import { UserError } from '../../dataplane/runtime/user-error.ts';
import { type ApiError, renderError } from '../api/findings.ts';
import type { FlashSale } from '../api/flashsale.gen.ts';
import { loadFlashSale } from '../api/load.ts';
import type { Companions } from '../api/references.ts';
import { buildTopology, type Topology } from '../topology/topology.ts';
import { companionsVersion } from './companions.ts';
import type { State } from './state.ts';
import { findTools, type Tools } from './tools.ts';

/** A FlashSale that the API's rules refuse; one line for each mistake. */
export class Refused extends UserError {
  readonly errors: ApiError[];
  constructor(errors: ApiError[]) {
    super(errors.map(renderError).join('\n'));
    this.errors = errors;
  }
}

export interface Edit {
  /** The sale with its defaults and its generation. */
  sale: FlashSale;
  topology: Topology;
  companions: Companions;
  companionsVersion: string;
  tools: Tools;
}

/** Reads an edit. `source` names the text in messages. Throws `Refused` or another `UserError`. */
export function readEdit(text: string, source: string, state: State | undefined): Edit {
  const old = state?.sale;
  const loaded = loadFlashSale(text, { source, selfContained: true, ...(old ? { old } : {}) });
  if (!loaded.ok) throw new Refused(loaded.errors);
  if (old && fullName(old) !== fullName(loaded.sale))
    throw new UserError(
      `the data folder holds the sale ${fullName(old)}, not ${fullName(loaded.sale)}; choose another one with --data`,
    );
  const tools = findTools({ kafka: loaded.sale.spec.kafka.bootstrapServers === undefined });

  const version = companionsVersion(buildTopology(loaded.sale), loaded.companions);
  const same = isDeepStrictEqual(old?.spec, plain(loaded.sale.spec)) && state?.companions === version;
  const generation = (old?.metadata.generation ?? 0) + (same ? 0 : 1);
  const sale = plain({ ...loaded.sale, metadata: { ...loaded.sale.metadata, generation } });
  return { sale, topology: buildTopology(sale), companions: loaded.companions, companionsVersion: version, tools };
}

export const fullName = ({ metadata }: FlashSale): string => `${metadata.namespace}/${metadata.name}`;

/** Returns the value as it reads back from a file, without prototypes and absent values, so that two of them can be compared. */
const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
