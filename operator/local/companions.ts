// The ConfigMaps and Secrets that stand beside the sale in its file: buyers' lists become files for the storefronts,
// given secrets become files of the secrets folder.

import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fingerprint } from '../../dataplane/runtime/fingerprint.ts';
import type { Companions } from '../api/references.ts';
import type { Placement } from '../topology/placement.ts';
import type { ObjectKey, Topology } from '../topology/topology.ts';
import type { DataFolder } from './data-folder.ts';
import { readIfThere, writeWhole } from './files.ts';

/** Returns a fingerprint that differs when anything differs that the sale refers to. */
export function companionsVersion(topology: Topology, companions: Companions): string {
  const lists = Object.values(topology.lists).flatMap(({ from }) =>
    from.map((ref) => textOf(companions.ConfigMap, ref)),
  );
  return fingerprint(JSON.stringify([lists, [...givenSecrets(topology, companions)]]));
}

/** Returns the secrets that the sale names, by file name. */
export const givenSecrets = (topology: Topology, companions: Companions): Map<string, string> =>
  new Map(topology.givenSecrets.map(({ file, from }) => [file, textOf(companions.Secret, from).trim()]));

/** A list's file is named after its content, so that the configuration differs when the list does. */
export function writeLists(folder: DataFolder, topology: Topology, companions: Companions): Placement['lists'] {
  const written: Placement['lists'] = {};
  for (const which of ['allow', 'deny'] as const) {
    const list = topology.lists[which];
    if (!list || list.from.length === 0) continue;
    const text = list.from.map((ref) => textOf(companions.ConfigMap, ref)).join('\n');
    const path = join(folder.lists, `${which}-${fingerprint(text)}.txt`);
    if (readIfThere(path) === undefined) writeWhole(path, text);
    written[which] = [path];
  }
  return written;
}

/** Removes the lists of former edits. It may be called only when no role reads them any more. */
export function forgetLists(folder: DataFolder, used: Placement['lists']): void {
  const kept = Object.values(used).flat();
  for (const name of readdirSync(folder.lists)) {
    const path = join(folder.lists, name);
    if (!kept.includes(path)) rmSync(path, { force: true });
  }
}

/** Returns the text that a reference names. The API has checked that it is there. */
const textOf = (objects: Companions['ConfigMap'], { name, key }: ObjectKey): string =>
  objects.get(name)?.get(key) ?? '';
