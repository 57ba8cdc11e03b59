// Every dashboard of the chart, and the files they become.

import { balancer } from './balancer.ts';
import type { Dashboard } from './description.ts';
import { fleet } from './fleet.ts';
import { grafanaJson } from './grafana.ts';
import { sale } from './sale.ts';

export const DASHBOARDS: readonly Dashboard[] = [sale, balancer, fleet];

/** The dashboards' files, by path from the root of the repository. */
export const dashboardFiles = (): Record<string, string> =>
  Object.fromEntries(
    DASHBOARDS.map((dashboard) => [
      `charts/flashsale-operator/dashboards/${dashboard.name}.json`,
      grafanaJson(dashboard),
    ]),
  );
