// What an API server has against an object, field by field. Pure.

import { saidBy } from '../cli/kube-errors.ts';
import type { KubeError } from '../kube/errors.ts';

export interface Complaint {
  /** The field, such as `spec.stock`; empty: the object as a whole. */
  field: string;
  message: string;
}

/** Returns what the API server found wrong; undefined: the error is not about the object. */
export function complaintsOf(error: KubeError): Complaint[] | undefined {
  const said = saidBy(error);
  if (error.conflicts.length > 0)
    return error.conflicts.map(({ manager, field }) => ({
      field: field.replace(/^\./, ''),
      message: `is set by ${manager}, and stays so unless you apply with --force-conflicts`,
    }));
  const strict = strictComplaints(said);
  if (strict.length > 0) return strict;
  if (error.causes.length > 0)
    return error.causes
      .filter(({ message }) => !NOT_CHECKED.test(message))
      .map(({ field, message }) => ({ field, message: inShort(message) }));
  if (error.status === 404 && /namespaces "/.test(said)) return [{ field: 'metadata.namespace', message: said }];
  // Policies answer 403 as access control does, but in their own words.
  if (
    error.status === 400 ||
    error.status === 422 ||
    (error.status === 403 && /admission|denied the request|quota/.test(said))
  )
    return [{ field: '', message: said }];
  return undefined;
}

/** A dry run takes no field that it would leave out. */
function strictComplaints(said: string): Complaint[] {
  const [, list = ''] = /.*strict decoding error: (.*)/s.exec(said) ?? [];
  return [...list.matchAll(/(unknown|duplicate) field "([^"]+)"/g)].map(([, what, field = '']) => ({
    field,
    message: `${what} field`,
  }));
}

/** Shortens a message: `Invalid value: 1: cannot shrink` becomes `got 1: cannot shrink`; an object as a value is left out. */
function inShort(message: string): string {
  const [all, value] =
    /^Invalid value: (?:("(?:[^"\\]|\\.)*"|-?\d[\d.e+]*|true|false|null|\{.*\}|\[.*\]): )?/.exec(message) ?? [];
  if (all === undefined) return message;
  const plain = value === undefined || /^("object"|"array"|[{[])/.test(value) ? '' : `got ${value}: `;
  return `${plain}${message.slice(all.length)}`;
}

/** Said of the whole after other mistakes; it adds nothing. */
const NOT_CHECKED = /some validation rules were not checked/;
