// Says whether what came from a topic is a message of that topic: every field there, of its type and in its range, and
// the record under its own key. Readers check each message with it before anything else sees it, because a table that
// holds half a message fails long after the message. Pure; it never throws, whatever the value.
//
// A field that is not named here is let through and read by nobody, so that roles of two versions understand each other
// while a sale is upgraded.

import type { Command, Delta, Level, Topic, Transfer } from './messages.ts';
import { isShardId } from './units.ts';

type Check = (value: unknown) => boolean;
type Fields<T> = { [Name in keyof Required<T>]: Check };
type Value = Record<string, unknown>;

/** Names of incarnations are UUIDs; nothing that this program makes is longer. */
const LONGEST_NAME = 128;

const isObject = (value: unknown): value is Value =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const name: Check = (value) => typeof value === 'string' && value.length > 0 && value.length <= LONGEST_NAME;
const shard: Check = (value) => typeof value === 'string' && isShardId(value);
const holder: Check = (value) => value === 'pool' || shard(value);
const node: Check = (value) => typeof value === 'string' && /^c(0|[1-9]\d{0,5})$/.test(value);
const whole: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const positive: Check = (value) => Number.isSafeInteger(value) && (value as number) > 0;
const signed: Check = Number.isSafeInteger;
const flag: Check = (value) => typeof value === 'boolean';
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);

/** An object from ids to whole numbers. */
const amounts =
  (id: Check): Check =>
  (value) => {
    if (!isObject(value)) return false;
    for (const key of Object.keys(value)) if (!id(key) || !whole(value[key])) return false;
    return true;
  };

const list =
  (item: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(item);

/** Returns the first field that does not fit, or undefined. */
function misfitOf(value: Value, fields: readonly [string, Check][]): string | undefined {
  for (const [field, check] of fields) if (!check(value[field])) return field;
  return undefined;
}

const fieldsOf = <T>(fields: Fields<T>): [string, Check][] => Object.entries(fields);

const record = <T>(fields: Fields<T>): Check => {
  const checks = fieldsOf(fields);
  return (value) => isObject(value) && misfitOf(value, checks) === undefined;
};

/** How the messages of one topic look. */
interface Shape {
  fields: readonly [string, Check][];
  /** The field that is also the record's key. */
  key: string;
  /** Holds when fields that fit each on its own also fit together. */
  together: (value: Value) => boolean;
}

const shape = <T>(key: keyof T & string, fields: Fields<T>, together: (value: T) => boolean = () => true): Shape => ({
  fields: fieldsOf(fields),
  key,
  together: together as unknown as Shape['together'],
});

const COMMAND_ID = { term: whole, sequence: whole };

const SHAPES: Record<Exclude<Topic, 'orders'>, Shape> = {
  deltas: shape<Delta>(
    'peer',
    {
      incarnation: name,
      peer: holder,
      peerIncarnation: name,
      version: whole,
      fromVersion: whole,
      delta: signed,
      available: whole,
      sold: whole,
      cancelled: whole,
      missed: whole,
      missedMax: whole,
      sent: amounts(holder),
      received: whole,
      receivedVersions: amounts(holder),
      command: record(COMMAND_ID),
      pool: optional(record({ owed: whole, allocatable: whole, supplied: whole, target: whole })),
    },
    ({ peer, version, fromVersion, pool }) => fromVersion <= version && (pool === undefined || peer === 'pool'),
  ),
  levels: shape<Level>('node', {
    incarnation: name,
    node,
    epoch: whole,
    sequence: whole,
    layout: whole,
    paused: flag,
    virtual: whole,
    liveTokens: whole,
    liveUnits: whole,
    pinned: amounts(shard),
    granted: whole,
    revoked: whole,
    issued: whole,
    settledUnits: whole,
    returnedUnits: whole,
  }),
  transfers: shape<Transfer>(
    'to',
    {
      incarnation: name,
      from: holder,
      fromIncarnation: name,
      to: holder,
      destination: holder,
      units: positive,
      version: positive,
      previous: whole,
    },
    // Every route leads through the pool (R18).
    ({ from, to, destination, version, previous }) =>
      previous < version &&
      (from === 'pool' ? to !== 'pool' && destination === to : to === 'pool' && destination !== from),
  ),
  commands: shape<Command>('source', {
    ...COMMAND_ID,
    incarnation: name,
    source: holder,
    legs: list(record({ destination: holder, units: positive })),
  }),
};

/**
 * Returns undefined for a message of the topic that lies under its own key, and otherwise what does not fit: the name
 * of a field, `key` for the record's key, `together` for fields that contradict each other, or `object` for a value
 * that is none. Of `orders`, which no role reads, any object will do.
 */
export function misfit(topic: Topic, key: string, value: unknown): string | undefined {
  if (!isObject(value)) return 'object';
  if (topic === 'orders') return undefined;
  const { fields, key: keyField, together } = SHAPES[topic];
  const field = misfitOf(value, fields);
  if (field !== undefined) return field;
  if (value[keyField] !== key) return 'key';
  return together(value) ? undefined : 'together';
}
