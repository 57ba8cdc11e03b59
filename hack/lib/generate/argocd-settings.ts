// docs/examples/gitops/argocd/argocd-cm.yaml, from the scripts beside it, which lie as Argo CD's own repository would
// hold them. Reads those files and nothing else.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Document, Scalar } from 'yaml';

const FOLDER = join(
  import.meta.dirname,
  '../../../docs/examples/gitops/argocd/resource_customizations/flashsale.dev/FlashSale',
);
const script = (...path: string[]): string => readFileSync(join(FOLDER, ...path), 'utf8');

export function argocdSettings(): string {
  const actions = readdirSync(join(FOLDER, 'actions'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'testdata')
    .map(({ name }) => name)
    .sort();
  const document = new Document({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: 'argocd-cm',
      namespace: 'argocd',
      labels: { 'app.kubernetes.io/name': 'argocd-cm', 'app.kubernetes.io/part-of': 'argocd' },
    },
    data: {
      'resource.customizations.health.flashsale.dev_FlashSale': block(script('health.lua')),
      'resource.customizations.actions.flashsale.dev_FlashSale': block(
        text({
          'discovery.lua': block(script('actions', 'discovery.lua')),
          definitions: actions.map((name) => ({
            name,
            'action.lua': block(script('actions', name, 'action.lua')),
          })),
        }),
      ),
      'resource.customizations.ignoreResourceUpdates.flashsale.dev_FlashSale': block(
        text({ jsonPointers: ['/status'] }),
      ),
    },
  });
  document.commentBefore = COMMENT;
  return document.toString(OPTIONS);
}

const COMMENT = ` Generated from resource_customizations/ by \`node hack/generate.ts\`: edit those files, not this one.
 Merge data into the argocd-cm of your Argo CD: what a FlashSale's health is, what may be done to it, and that its
 figures, which change every second while it sells, are no reason to compare the whole application again (a change of
 health still is).`;

const OPTIONS = { lineWidth: 0, indentSeq: false } as const;
const text = (value: unknown): string => new Document(value).toString(OPTIONS);

/** As lines, whatever is in it. */
function block(value: string): Scalar<string> {
  const scalar = new Scalar(value);
  scalar.type = 'BLOCK_LITERAL';
  return scalar;
}
