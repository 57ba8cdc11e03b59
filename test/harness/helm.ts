// Helm over the chart of this repository, as a person runs it.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import type { KubeObject } from '../../operator/kube/objects.ts';

export const CHART = join(import.meta.dirname, '..', '..', 'charts', 'flashsale-operator');

export interface HelmOutcome {
  code: number | null;
  out: string;
  err: string;
}

/** `values` become a values file on standard input. */
export function helm(args: string[], values?: unknown): HelmOutcome {
  const program = process.env.FLASHSALE_HELM;
  if (program === undefined) throw new Error('FLASHSALE_HELM names no helm; hack/test apiserver builds it and sets it');
  const { status, stdout, stderr, error } = spawnSync(
    program,
    [...args, ...(values === undefined ? [] : ['--values', '-'])],
    { encoding: 'utf8', maxBuffer: 2 ** 26, ...(values === undefined ? {} : { input: stringify(values) }) },
  );
  if (error) throw error;
  return { code: status, out: stdout, err: stderr };
}

/** Release and namespace as the documentation has them. */
export const template = (values: unknown): HelmOutcome =>
  helm(['template', 'flashsale-operator', CHART, '--namespace', 'flashsale-system'], values);

/** The objects, hooks and tests among them. Throws when Helm refuses. */
export function render(values: unknown): KubeObject[] {
  const { code, out, err } = template(values);
  if (code !== 0) throw new Error(err);
  return parseAllDocuments(out).flatMap((document) => (document.toJS() as KubeObject | null) ?? []);
}
