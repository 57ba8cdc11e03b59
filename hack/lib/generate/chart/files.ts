// The files of the chart that are made of others: its copy of the CRD, which a chart cannot reach outside its folder; its
// dashboards; and the tables of its README.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dashboardFiles } from '../../../../charts/sources/dashboards/all.ts';
import { withValues } from './values.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..', '..');
const CHART = 'charts/flashsale-operator';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** The chart's generated files, by path from the root of the repository. */
export const chartFiles = (): Record<string, string> => ({
  [`${CHART}/files/flashsale.yaml`]: read('crds/flashsale.yaml'),
  [`${CHART}/README.md`]: withValues(read(`${CHART}/README.md`), read(`${CHART}/values.yaml`)),
  ...dashboardFiles(),
});
