// What applying a file would do, and what the API server says to it, as text and as a document. Pure, but for colours.

import { type ApiError, renderError } from '../api/findings.ts';
import type { FlashSale } from '../api/flashsale.gen.ts';
import { changeLines, newSale, warningLines, whatIsNew } from '../cli/changes.ts';
import { number, styled } from '../cli/output.ts';
import type { Change } from '../topology/changes.ts';
import type { Complaint } from './complaints.ts';

export interface Plan {
  /** namespace/name */
  sale: string;
  file: string;
  /** The sale as it is; absent: there is none yet. */
  live?: FlashSale;
  /** The sale as it would be; absent: the edit is refused. */
  after?: FlashSale;
  changes: Change[];
  /** What the API server complains of. */
  complaints: Complaint[];
  /** What this program's copy of the rules finds in the file, with its lines. */
  mistakes: ApiError[];
}

export const planReport = ({ sale, live, after, changes, complaints, mistakes }: Plan) => ({
  sale,
  new: live === undefined,
  accepted: complaints.length === 0,
  complaints: complaints.map((complaint) => ({ ...complaint, ...lineOf(complaint, mistakes) })),
  ...(!live && after ? { parts: newSale(after) } : {}),
  changes,
});

export const planText = (plan: Plan): string =>
  [...effects(plan), verdict(plan), ...furtherMistakes(plan)].join('\n\n');

function effects({ sale, live, after, changes }: Plan): string[] {
  const title = styled('bold', sale);
  if (!live) return [after ? whatIsNew(after, 'the operator’s Kafka') : title];
  return [
    `${title}  ${standing(live)}`,
    ...(after ? [[...changeLines(changes), ...warningLines(after)].join('\n')] : []),
  ];
}

function standing({ status = {} }: FlashSale): string {
  const { phase = 'Pending', sold, supplied } = status;
  return sold === undefined ? phase : `${phase}, ${number(sold)} of ${number(supplied)} units sold`;
}

function verdict({ file, live, changes, complaints, mistakes }: Plan): string {
  if (complaints.length > 0)
    return [
      styled('red', 'The API server refuses it:'),
      ...complaints.map((complaint) => complaintLine(complaint, file, mistakes)),
    ].join('\n');
  const needless = live !== undefined && changes.length === 0;
  return `The API server accepts it.${needless ? '' : ` To make it so: kubectl apply -f ${file}`}`;
}

/** The API server tells the first kind of mistake only; and it may have other rules than this program. */
function furtherMistakes({ complaints, mistakes }: Plan): string[] {
  const unsaid = mistakes.filter(({ path }) => !complaints.some(({ field }) => field === path));
  if (unsaid.length === 0) return [];
  const title =
    complaints.length > 0 ? 'Once that is right, these are next:' : 'But by the rules of this program it is wrong:';
  return [[title, ...unsaid.map((mistake) => `  ${renderError(mistake)}`)].join('\n')];
}

/** Names the line of the file that is complained of, as far as this program sees the mistake, too. */
function lineOf({ field }: Complaint, mistakes: ApiError[]): { line?: number } {
  const line = mistakes.find(({ path }) => path === field)?.line;
  return line === undefined ? {} : { line };
}

function complaintLine(complaint: Complaint, file: string, mistakes: ApiError[]): string {
  const { line } = lineOf(complaint, mistakes);
  const parts = [...(line === undefined ? [] : [`${file}:${line}`]), complaint.field, complaint.message];
  return `  ${parts.filter((part) => part !== '').join(': ')}`;
}
