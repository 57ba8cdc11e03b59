// docs/conditions.md, from the reasons that the operator may write. Pure.

import { DEGRADED_REASONS, REASONS } from '../../../operator/reconcile/reasons.ts';

/** What each condition is about; one sentence. */
const ABOUT: Record<keyof typeof REASONS, string> = {
  Ready: 'Whether buyers are served. `kubectl wait --for=condition=Ready` and every tool that waits look at it.',
  Progressing: 'Whether the parts are still being brought to what the spec says.',
  Degraded: 'Whether some part is down or something is in the way, whatever the rest of the sale does meanwhile.',
  Balanced: 'Whether the stock lies where it is wanted. Buyers are served without it.',
  Authenticated:
    'Whether a buyer’s name is proved. A sale that says `insecure: true` sells to whoever names themselves, so this is false.',
};

export const conditionsPage =
  (): string => `<!-- Generated from operator/reconcile/reasons.ts by \`node hack/generate.ts\`: edit that file, not this one. -->
# Conditions
A FlashSale in a cluster says how it is in \`status.conditions\`. Each has a status (\`True\`, \`False\` or \`Unknown\`), a
**reason**, one word that stays the same from release to release, and a message for people, which names the object and
the details. \`kubectl flashsale status\` shows them; \`kubectl describe fs NAME\` adds the events that led there.

Conditions are about the edit that \`observedGeneration\` names. While that is older than \`metadata.generation\`, the
operator has not looked at the newest edit yet. In the words of kstatus, by which Flux and others wait, a sale is *current*
when Ready is true for the newest edit, and *in progress* otherwise.
${Object.entries(REASONS)
  .map(([type, statuses]) => section(type as keyof typeof REASONS, statuses))
  .join('')}
## Degraded reasons
Reasons of *Ready* while it is false, when nobody can buy, and of *Degraded* while it is true, whether or not somebody can.

${table(['reason', 'what is so', 'what to do'], rows(DEGRADED_REASONS))}
`;

type Reasons = Record<string, { means: string; action?: string }>;

const table = (head: string[], body: string[][]): string =>
  [head, head.map(() => '---'), ...body].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

const rows = (reasons: Reasons): string[][] =>
  Object.entries(reasons).map(([reason, { means, action = '' }]) => [`\`${reason}\``, means, action]);

const DEGRADED_REASON = ['any degraded reason', 'See [below](#degraded-reasons).', ''];

function section(type: keyof typeof REASONS, statuses: Partial<Record<string, Reasons>>): string {
  const all = Object.entries(statuses).flatMap(([status, reasons = {}]) => {
    const own = Object.fromEntries(Object.entries(reasons).filter(([reason]) => !(reason in DEGRADED_REASONS)));
    const listed =
      Object.keys(own).length === Object.keys(reasons).length ? rows(own) : [...rows(own), DEGRADED_REASON];
    return listed.map((row) => [`\`${status}\``, ...row]);
  });
  return `
## ${type}
${ABOUT[type]}

${table(['status', 'reason', 'what is so', 'what to do'], all)}
`;
}
