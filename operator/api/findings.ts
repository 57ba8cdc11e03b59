// How a mistake in a resource is named: where it is, and what to write instead.

/** Field names and list positions from the root, such as ['spec', 'auth', 'jwt'] or ['items', 3]. */
export type Path = readonly (string | number)[];

/** A mistake, within the object. */
export interface Finding {
  at: Path;
  message: string;
}

/** A mistake, for people: `line` counts from 1 and is absent where the object came from no file. */
export interface ApiError {
  /** The file, or whatever else the text came from. */
  source: string;
  line?: number;
  /** The field, such as `spec.qualification.allowList.ids[3]`; empty for a mistake of the text as a whole. */
  path: string;
  message: string;
}

export const renderPath = (path: Path): string =>
  path.map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? part : `.${part}`)).join('');

/** Writes an error in one line, such as `sale.yaml:7: spec.stock: must be at least 0 units, got -5`. */
export const renderError = (error: ApiError): string =>
  [`${error.source}${error.line === undefined ? '' : `:${error.line}`}`, error.path, error.message]
    .filter((part) => part !== '')
    .join(': ');

export const isWithin = (path: Path, ancestor: Path): boolean =>
  path.length >= ancestor.length && ancestor.every((part, i) => part === path[i]);

/** A value as a message shows it: JSON, cut short. */
export function shown(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? 'nothing');
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
