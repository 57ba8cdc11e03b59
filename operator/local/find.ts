// Finds the sales of this machine and what others need to reach one: the load generator, the audit, the command
// line. Reads only; works whether or not a supervisor runs.

import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { SaleConfig } from '../../dataplane/protocol/config.ts';
import { readConfig, type Secret, secretsIn } from '../../dataplane/runtime/config.ts';
import { UserError } from '../../dataplane/runtime/user-error.ts';
import { loadFlashSale } from '../api/load.ts';
import { type DataFolder, dataFolder, defaultFolder, salesFolder } from './data-folder.ts';
import { Refused } from './edit.ts';
import { readText } from './files.ts';
import { HOST } from './ports.ts';
import { storefrontName } from './processes.ts';
import { readState } from './state.ts';

/** How a person names a sale; the first one given counts. */
export interface SaleChoice {
  /** A data folder. */
  data?: string;
  /** A FlashSale file: the sale it describes. */
  file?: string;
  /** The name of a sale, as `name` or `namespace/name`. */
  name?: string;
}

/** The full names of the sales in their usual folder. */
function knownSales(): string[] {
  if (!existsSync(salesFolder())) return [];
  return readdirSync(salesFolder())
    .filter((name) => existsSync(dataFolder(join(salesFolder(), name)).state))
    .map((name) => name.replace('.', '/'));
}

/** Returns the folder of the chosen sale, which need not exist; when none was chosen, of the only one there is. Throws `UserError`. */
export function chooseFolder({ data, file, name }: SaleChoice): DataFolder {
  if (data !== undefined) return dataFolder(data);
  if (file !== undefined) return folderOfFile(file);
  if (name !== undefined) return folderOfName(name);
  const known = knownSales();
  const [only] = known;
  if (only === undefined)
    throw new UserError('there is no sale on this machine yet; start one with flashsale up -f FILE');
  if (known.length > 1) throw new UserError(`say which sale you mean: ${known.join(', ')}`);
  return folderOfName(only);
}

/** Namespace and name of the FlashSale in a text. Throws `Refused` for one that is not valid. */
export function nameIn(text: string, source: string): [namespace: string, name: string] {
  const loaded = loadFlashSale(text, { source });
  if (!loaded.ok) throw new Refused(loaded.errors);
  const { namespace, name } = loaded.sale.metadata;
  return [namespace, name];
}

function folderOfFile(file: string): DataFolder {
  const text = readText(file);
  return dataFolder(defaultFolder(...(roughNameIn(text) ?? nameIn(text, file))));
}

function folderOfName(wanted: string): DataFolder {
  const [namespace, name] = wanted.includes('/') ? wanted.split('/') : ['default', wanted];
  const folder = dataFolder(defaultFolder(namespace ?? '', name ?? ''));
  if (existsSync(folder.state)) return folder;
  const known = knownSales();
  throw new UserError(
    `there is no sale ${namespace}/${name} on this machine; ${known.length === 0 ? 'there is none' : `there is ${known.join(', ')}`}`,
  );
}

/** Reads only the name from a file, whether or not the rest is right: a sale is to be found by a file that was edited badly. */
function roughNameIn(text: string): [namespace: string, name: string] | undefined {
  for (const document of parseAllDocuments(text, { logLevel: 'silent' })) {
    const value: unknown = document.errors.length === 0 ? document.toJS() : undefined;
    const { kind, metadata } = (value ?? {}) as { kind?: unknown; metadata?: { namespace?: unknown; name?: unknown } };
    if (kind === 'FlashSale' && typeof metadata?.name === 'string')
      return [typeof metadata.namespace === 'string' ? metadata.namespace : 'default', metadata.name];
  }
  return undefined;
}

export interface LocalSale {
  folder: string;
  config: SaleConfig;
  configFile: string;
  secret: Secret;
  storefronts: string[];
}

/** What was written for the roles of the chosen sale. Throws `UserError` when it was never started. */
export function localSale(choice: SaleChoice): LocalSale {
  const folder = chooseFolder(choice);
  const state = readState(folder);
  if (!state || !existsSync(folder.config))
    throw new UserError(`no sale was started in ${folder.path} yet; start one with flashsale up -f FILE`);
  const names = Array.from({ length: state.sale.spec.storefront.replicas }, (_, n) => storefrontName(n));
  return {
    folder: resolve(folder.path),
    config: readConfig(folder.config),
    configFile: folder.config,
    secret: secretsIn(folder.secrets),
    storefronts: names.map((name) => `http://${HOST}:${state.ports[name]}`),
  };
}
