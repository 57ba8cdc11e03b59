// Who writes a sale's spec: a GitOps tool, or people. Pure.

import type { FlashSale } from '../api/flashsale.gen.ts';

/** What an API server keeps about whose fields are whose. */
export interface Managed {
  managedFields?: { manager?: string; operation?: string; subresource?: string; fieldsV1?: Record<string, unknown> }[];
}

const managersOf = ({ metadata }: FlashSale) => (metadata as Managed).managedFields ?? [];

/** The tool whose source the sale comes from. Undefined: nobody known. */
export function sourceOf(sale: FlashSale): string | undefined {
  const { labels = {}, annotations = {} } = sale.metadata;
  const managers = managersOf(sale).map(({ manager = '' }) => manager);
  if ('argocd.argoproj.io/tracking-id' in annotations || managers.includes('argocd-controller')) return 'Argo CD';
  if ('kustomize.toolkit.fluxcd.io/name' in labels || managers.includes('kustomize-controller')) return 'Flux';
  if ('helm.toolkit.fluxcd.io/name' in labels) return 'Flux';
  if (labels['app.kubernetes.io/managed-by'] === 'Helm') return 'Helm';
  return undefined;
}

/** Names the field manager that keeps the spec by server-side apply, and whose next apply drops what it leaves out. Undefined: nobody does. */
export const applierOf = (sale: FlashSale): string | undefined =>
  managersOf(sale).find(
    ({ operation, subresource, fieldsV1 }) => operation === 'Apply' && !subresource && fieldsV1 && 'f:spec' in fieldsV1,
  )?.manager;

/** What `kubectl apply` sent the last time, which tells it what its next file leaves out. */
export function lastApplied({ metadata }: FlashSale): { spec?: unknown } | undefined {
  const text = metadata.annotations?.['kubectl.kubernetes.io/last-applied-configuration'];
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as { spec?: unknown };
  } catch {
    return undefined;
  }
}
