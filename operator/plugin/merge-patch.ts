// What `kubectl apply` of a file sends for a resource that it does not know closely: a JSON merge patch which sets what
// the file says and takes away what the file said the last time and does not say any more. Whatever else others have
// set stays. Pure.

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Makes the patch of an apply. `last` is undefined when nothing was ever applied. */
export function mergePatch(last: unknown, next: unknown): unknown {
  if (!isObject(next)) return next;
  const former = isObject(last) ? last : {};
  return Object.fromEntries([
    ...Object.entries(next).map(([name, value]) => [name, mergePatch(former[name], value)]),
    ...Object.keys(former)
      .filter((name) => !(name in next))
      .map((name) => [name, null]),
  ]);
}
