// Writes charts/plain/flashsale-operator.yaml: the chart with its default values as plain manifests, for those who have
// kubectl and no Helm. What only means something to Helm is left out.
//
//   node hack/lib/generate/chart/plain.ts           writes it when it is stale
//   node hack/lib/generate/chart/plain.ts --check   writes nothing; exits 1 when it is stale

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments, stringify } from 'yaml';

const ROOT = join(import.meta.dirname, '..', '..', '..', '..');
const FILE = join(ROOT, 'charts', 'plain', 'flashsale-operator.yaml');
const NAMESPACE = 'flashsale-system';

interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  [field: string]: unknown;
}

/** What the file should hold. Throws when Helm does not run. */
export function plainManifests(helm: string): string {
  const { status, stdout, stderr, error } = spawnSync(
    helm,
    [
      'template',
      'flashsale-operator',
      join(ROOT, 'charts/flashsale-operator'),
      '--namespace',
      NAMESPACE,
      '--skip-tests',
    ],
    { encoding: 'utf8', maxBuffer: 2 ** 26 },
  );
  if (error || status !== 0) throw new Error(`helm template failed: ${error?.message ?? stderr}`);
  const rendered = parseAllDocuments(stdout).map((document) => withoutHelm(document.toJS() as Manifest));
  // What others need comes first.
  const order = [
    'CustomResourceDefinition',
    'ServiceAccount',
    'ClusterRole',
    'ClusterRoleBinding',
    'Role',
    'RoleBinding',
  ];
  const rank = ({ kind }: Manifest) => (order.includes(kind) ? order.indexOf(kind) : order.length);
  const manifests = [namespace, ...rendered.sort((a, b) => rank(a) - rank(b))];
  return `${HEADER}${manifests.map((manifest) => stringify(manifest, { lineWidth: 0, aliasDuplicateObjects: false })).join('---\n')}`;
}

const HEADER = `# The flashsale operator as plain manifests: kubectl apply --server-side -f charts/plain/flashsale-operator.yaml
# Rendered from charts/flashsale-operator with its default values by hack/generate: edit the chart, not this file.
# Then name a Kafka for all sales in the ConfigMap flashsale-operator (kafka: {bootstrapServers: […]}), or one in each sale.
`;

const namespace: Manifest = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name: NAMESPACE,
    labels: { 'pod-security.kubernetes.io/enforce': 'restricted', 'pod-security.kubernetes.io/warn': 'restricted' },
  },
};

/** Labels and annotations of Helm's own, wherever there are metadata (pod templates too). */
function withoutHelm<T>(value: T): T {
  if (Array.isArray(value)) return value.map(withoutHelm) as T;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).flatMap(([key, field]): [string, unknown][] => {
    if (key.startsWith('helm.sh/') || (key === 'app.kubernetes.io/managed-by' && field === 'Helm')) return [];
    const cleaned = withoutHelm(field);
    const emptied = key === 'annotations' && Object.keys(cleaned as object).length === 0;
    return emptied ? [] : [[key, cleaned]];
  });
  return Object.fromEntries(entries) as T;
}

export const plainFile = (): string => (existsSync(FILE) ? readFileSync(FILE, 'utf8') : '');

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wanted = plainManifests(process.env.FLASHSALE_HELM ?? 'helm');
  const stale = wanted !== plainFile();
  if (process.argv[2] !== '--check') {
    if (stale) writeFileSync(FILE, wanted);
  } else if (stale) {
    console.error('charts/plain/flashsale-operator.yaml is stale; run: hack/generate');
    process.exitCode = 1;
  }
}
