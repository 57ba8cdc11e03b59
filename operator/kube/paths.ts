// Where the API server keeps things: the paths of its REST interface. Pure.

import type { Resource } from './objects.ts';

export type Query = Record<string, string | number | boolean | undefined>;

/** The core group came before there were groups, and has a path of its own. */
const groupOf = (apiVersion: string): string =>
  apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;

/** All of a kind: of one namespace, or with none given of the whole cluster. */
export const collectionPath = ({ apiVersion, plural, namespaced }: Resource, namespace?: string): string =>
  [
    groupOf(apiVersion),
    ...(namespaced && namespace !== undefined ? ['namespaces', encodeURIComponent(namespace)] : []),
    plural,
  ].join('/');

/** The path of one object. Throws when a namespaced object comes without its namespace: the path would be of something else. */
export function objectPath(resource: Resource, namespace: string | undefined, name: string, part?: 'status'): string {
  if (name === '') throw new Error(`a ${resource.kind} without a name`);
  if (resource.namespaced && !namespace) throw new Error(`${resource.kind} ${name} without a namespace`);
  const path = `${collectionPath(resource, namespace)}/${encodeURIComponent(name)}`;
  return part === undefined ? path : `${path}/${part}`;
}

export function withQuery(path: string, query: Query): string {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== '') pairs.set(name, String(value));
  return pairs.size === 0 ? path : `${path}?${pairs}`;
}
