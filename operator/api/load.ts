// Reads a FlashSale from YAML text as kubectl and the API server together would, and names every mistake by its line.
// Reads no file and asks no cluster.

import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseAllDocuments } from 'yaml';
import { isObject } from './defaults.ts';
import { type ApiError, type Path, renderPath } from './findings.ts';
import type { FlashSale } from './flashsale.gen.ts';
import { brokenReferences, type Companions, companionsOf } from './references.ts';
import { API_VERSION, KIND } from './schema.ts';
import { validate } from './validate.ts';

export interface LoadOptions {
  /** Names the text in messages: a file name. */
  source: string;
  /** The sale before the change, if it exists: rules that guard a change then apply. */
  old?: FlashSale;
  /** Which sale of a text with several, counted from 0; absent: the text must have only one. */
  which?: number;
  /** Every ConfigMap and Secret the sale refers to must be a document of the same text. For local mode. */
  selfContained?: boolean;
}

export type Loaded =
  /** A sale that is valid. `companions` are the ConfigMaps and Secrets among the other documents, `written` is the sale without its defaults. */
  | { ok: true; sale: FlashSale; companions: Companions; written: unknown }
  /** The mistakes of a text, in its order, at least one. `written` is absent when the text does not hold exactly one sale. */
  | { ok: false; errors: ApiError[]; written?: unknown };

/** Reads and checks a text. It never throws, whatever the text. */
export function loadFlashSale(text: string, { source, old, which, selfContained = false }: LoadOptions): Loaded {
  const lines = new LineCounter();
  const refuse = (mistakes: Mistake[], written?: unknown): Loaded => ({
    ok: false,
    ...(written === undefined ? {} : { written }),
    errors: mistakes
      .sort((a, b) => a.offset - b.offset)
      .map(({ offset, path = '', message }) => ({ source, line: lines.linePos(offset).line, path, message })),
  });

  const { documents, mistakes } = read(text, lines);
  if (mistakes.length > 0) return refuse(mistakes);
  const found = which === undefined ? onlySale(documents) : (salesAmong(documents)[which] ?? onlySale(documents));
  if ('message' in found) return refuse([found]);

  const companions = companionsOf(documents.filter((document) => document !== found).map(({ value }) => value));
  const written = withoutStatus(found.value);
  const checked = validate(written, old);
  const findings = checked.ok ? (selfContained ? brokenReferences(checked.sale, companions) : []) : checked.findings;
  if (checked.ok && findings.length === 0) return { ok: true, sale: checked.sale, companions, written };
  return refuse(
    findings.map(({ at, message }) => ({ offset: offsetOf(found, at), path: renderPath(at), message })),
    written,
  );
}

interface Document {
  /** Where the document begins in the text, in characters. */
  start: number;
  node: Node | null;
  value: unknown;
}

interface Mistake {
  offset: number;
  path?: string;
  message: string;
}

/** kubectl reads YAML 1.1, where `yes` is true, but without these of its tags. */
const NOT_READ = /:(timestamp|binary|omap|pairs|set)$/;

function read(text: string, lineCounter: LineCounter): { documents: Document[]; mistakes: Mistake[] } {
  const parsed = parseAllDocuments(text, {
    version: '1.1',
    customTags: (tags) =>
      tags.filter((tag) => typeof tag === 'string' || !(NOT_READ.test(tag.tag) || tag.format === 'TIME')),
    stringKeys: true,
    prettyErrors: false,
    logLevel: 'error',
    lineCounter,
  });
  const documents: Document[] = [];
  const mistakes: Mistake[] = [];
  for (const document of 'empty' in parsed ? [] : parsed) {
    const start = document.contents?.range?.[0] ?? document.range[0];
    for (const { code, message, pos } of document.errors) {
      mistakes.push({
        offset: pos[0],
        message:
          code === 'DUPLICATE_KEY'
            ? `${wordAt(text, pos[0])} is given twice; remove one`
            : `is not valid YAML: ${message}`,
      });
    }
    if (document.errors.length > 0 || document.contents === null) continue;
    try {
      documents.push({ start, node: document.contents, value: document.toJS() });
    } catch (error) {
      // An alias without its anchor, or one that unfolds without end.
      mistakes.push({ offset: start, message: `is not valid YAML: ${error instanceof Error ? error.message : error}` });
    }
  }
  return { documents, mistakes };
}

/** How many FlashSales a text holds, right or wrong; 0 also where it is no YAML. */
export const countFlashSales = (text: string): number => salesAmong(read(text, new LineCounter()).documents).length;

const kindOf = ({ value }: Document): string | undefined =>
  isObject(value) && typeof value.kind === 'string' ? value.kind : undefined;

/** The documents that are, or were meant to be, FlashSales. */
const salesAmong = (documents: Document[]): Document[] =>
  documents.filter(
    (document) => kindOf(document) === KIND || (isObject(document.value) && isOurs(document.value.apiVersion)),
  );

/** The one among them. Other kinds may stand beside it. */
function onlySale(documents: Document[]): Document | Mistake {
  const [first] = documents;
  const alone = first !== undefined && documents.length === 1 && kindOf(first) === undefined;
  const meant = alone ? documents : salesAmong(documents);
  const [sale, second] = meant;
  if (second !== undefined) {
    return { offset: second.start, message: `has ${meant.length} FlashSales; put each in a file of its own` };
  }
  if (sale !== undefined) return sale;
  const others = documents.map(kindOf).filter((kind) => kind !== undefined);
  return {
    offset: documents[0]?.start ?? 0,
    message: `has no FlashSale${others.length === 0 ? '' : `, only ${others.join(', ')}`}; begin with apiVersion: ${API_VERSION} and kind: ${KIND}`,
  };
}

/** Leaves the status out. Whoever writes a file cannot set it; the API server ignores one there, too. */
function withoutStatus(value: unknown): unknown {
  if (!isObject(value)) return value;
  const { status: _status, ...rest } = value;
  return rest;
}

const [GROUP = ''] = API_VERSION.split('/');
const isOurs = (apiVersion: unknown): boolean => typeof apiVersion === 'string' && apiVersion.startsWith(GROUP);

/** Returns the place of the key or item at `path`, or of the nearest one around it that exists. */
function offsetOf({ start, node }: Document, path: Path): number {
  let offset = start;
  let inner: unknown = node;
  for (const part of path) {
    const pair = isMap(inner) ? inner.items.find(({ key }) => isScalar(key) && key.value === part) : undefined;
    const item: unknown = isSeq(inner) && typeof part === 'number' ? inner.items[part] : undefined;
    const place = pair?.key ?? item;
    if (place === undefined) break;
    offset = (place as Node).range?.[0] ?? offset;
    inner = pair === undefined ? item : pair.value;
    if (isAlias(inner)) break;
  }
  return offset;
}

const wordAt = (text: string, offset: number): string =>
  /^[^\s:]*/.exec(text.slice(offset, offset + 80))?.[0] ?? 'a key';
