// The first difference between an object as it is wanted and as it was found, so that nothing is written when there is
// none and an event can name it when there is. Pure.
//
// What was found has more than what was wanted: the API server fills in defaults, others set fields of their own, and
// admission adds to lists. So a found object may have fields, and a list whose items have names may have items, that
// were not asked for. Only what the API server keeps as one value is compared in full: a selector, and a list without
// names. There one more entry means something else (a network policy that admits everybody), and the whole of it is ours.

import { parseQuantity } from '../api/scalars.ts';

export interface Difference {
  /** Where the two differ, such as `spec.template.spec.containers[redis].image`. */
  path: string;
  /** The wanted value; undefined: none is wanted any more. */
  wanted: unknown;
  /** The value that was found; undefined: there is none. */
  found: unknown;
}

/** Returns the first difference, or undefined. `path` is where the two values are; the answer's path begins with it. */
export function firstDifference(wanted: unknown, found: unknown, path = ''): Difference | undefined {
  return compare(wanted, found, { path, field: '', whole: false });
}

interface Place {
  path: string;
  /** The name of the field, that of the list for its items. */
  field: string;
  /** Whether the path is inside something that the API server keeps as one value. */
  whole: boolean;
}

type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function compare(wanted: unknown, found: unknown, place: Place): Difference | undefined {
  if (wanted === undefined || (isNothing(wanted, place.field) && isNothing(found, place.field))) return undefined;
  if (isFields(wanted) && isFields(found)) return compareFields(wanted, found, place);
  if (Array.isArray(wanted) && Array.isArray(found)) return compareLists(wanted, found, place);
  return isSame(wanted, found, place.field) ? undefined : { path: place.path, wanted, found };
}

/** Kept as one value, though it looks like fields: an entry more is another selector. */
const SELECTORS = new Set(['selector', 'podSelector', 'namespaceSelector', 'labelSelector', 'nodeSelector']);

function compareFields(wanted: Fields, found: Fields, { path, field, whole }: Place): Difference | undefined {
  const inOne = whole || SELECTORS.has(field);
  for (const [name, value] of Object.entries(wanted)) {
    const inner = { path: join(path, name), field: name, whole: inOne };
    const difference = compare(value, found[name], inner);
    if (difference) return difference;
  }
  if (!inOne) return undefined;
  for (const [name, value] of Object.entries(found))
    if (wanted[name] === undefined && !isNothing(value, name) && !isDefault(name, value))
      return { path: join(path, name), wanted: undefined, found: value };
  return undefined;
}

function compareLists(wanted: unknown[], found: unknown[], { path, field, whole }: Place): Difference | undefined {
  if (field === 'finalizers') {
    const missing = wanted.find((item) => !found.includes(item));
    return missing === undefined ? undefined : { path, wanted: missing, found: undefined };
  }
  const names = whole ? undefined : namesOf(field, [...wanted, ...found]);
  if (names) {
    const byName = new Map(found.map((item) => [names(item), item]));
    for (const item of wanted) {
      const name = names(item) ?? '';
      const difference = compare(item, byName.get(name), { path: `${path}[${name}]`, field, whole });
      if (difference) return difference;
    }
    return undefined;
  }
  // The API server fills in what a claim leaves out, and nobody can change the list.
  const inOne = field !== 'volumeClaimTemplates';
  for (let i = 0; i < Math.max(wanted.length, found.length); i++) {
    const at = `${path}[${i}]`;
    if (i >= wanted.length || i >= found.length) return { path: at, wanted: wanted[i], found: found[i] };
    const difference = compare(wanted[i], found[i], { path: at, field, whole: inOne });
    if (difference) return difference;
  }
  return undefined;
}

/** The fields by which the API server tells the items of a list apart (x-kubernetes-list-map-keys). */
const NAMES: Record<string, string[][]> = {
  conditions: [['type']],
  containers: [['name']],
  env: [['name']],
  ephemeralContainers: [['name']],
  hostAliases: [['ip']],
  imagePullSecrets: [['name']],
  initContainers: [['name']],
  ownerReferences: [['uid']],
  ports: [
    ['containerPort', 'protocol'],
    ['port', 'protocol'],
  ],
  topologySpreadConstraints: [['topologyKey', 'whenUnsatisfiable']],
  volumeDevices: [['devicePath']],
  volumeMounts: [['mountPath']],
  volumes: [['name']],
};

/** How items are told apart, if they all can be and no two are alike. */
function namesOf(field: string, items: unknown[]): ((item: unknown) => string | undefined) | undefined {
  for (const keys of NAMES[field] ?? []) {
    const name = (item: unknown): string | undefined => {
      if (!isFields(item)) return undefined;
      const values = keys.map((key) => item[key] ?? (key === 'protocol' ? 'TCP' : undefined));
      return values.includes(undefined) ? undefined : values.join('/');
    };
    if (items.every((item) => name(item) !== undefined)) return name;
  }
  return undefined;
}

/** What the API server fills in inside what it keeps as one value. */
const DEFAULTS: [name: string, value: unknown][] = [
  ['protocol', 'TCP'],
  // Of a fieldRef, and of a projected service account token.
  ['apiVersion', 'v1'],
  ['expirationSeconds', 3600],
];
const isDefault = (name: string, value: unknown): boolean => DEFAULTS.some(([n, v]) => n === name && v === value);

/** Fields that are not kept when they are false or 0, for that is what leaving them out means. */
const ABSENT_WHEN_ZERO = new Set([
  ...['hostIPC', 'hostNetwork', 'hostPID', 'initialDelaySeconds', 'minReadySeconds', 'paused'],
  ...['publishNotReadyAddresses', 'readOnly', 'stdin', 'tty'],
]);

/** Whether a value is as good as left out, as the API server keeps objects. */
function isNothing(value: unknown, field: string): boolean {
  if (value === undefined || value === null || value === '') return true;
  if (value === false || value === 0) return ABSENT_WHEN_ZERO.has(field);
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** Their values are kept in one of several spellings: 1024Mi as 1Gi, 0.5 as 500m. */
const QUANTITIES = new Set([
  ...['averageValue', 'cpu', 'divisor', 'ephemeral-storage', 'memory', 'sizeLimit', 'storage'],
]);

function isSame(wanted: unknown, found: unknown, field: string): boolean {
  if (wanted === found) return true;
  const scalar = (value: unknown): value is string | number => typeof value === 'string' || typeof value === 'number';
  if (!scalar(wanted) || !scalar(found)) return false;
  if (!QUANTITIES.has(field) && typeof wanted === typeof found) return false;
  const [a, b] = [parseQuantity(String(wanted)), parseQuantity(String(found))];
  return a !== undefined && b !== undefined && a.numerator * b.denominator === b.numerator * a.denominator;
}

/** A name that is no plain word is shown in brackets: `metadata.labels[app.kubernetes.io/name]`. */
const join = (path: string, name: string): string => {
  if (!/^[\w-]+$/.test(name)) return `${path}[${name}]`;
  return path === '' ? name : `${path}.${name}`;
};
