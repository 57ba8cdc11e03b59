// The first difference between what is wanted and what was found. Pure.

export interface Difference {
  path: string;
  wanted: unknown;
  found: unknown;
}

export function firstDifference(_wanted: unknown, _found: unknown, _path = ''): Difference | undefined {
  throw new Error('in the making');
}
