// What an edit changes and what it moves, in words, before it is made. Pure: two sales in, sentences out. Says
// nothing about whether an edit is allowed: the CRD's rules do.

import type { Units } from '../../dataplane/protocol/units.ts';
import type { FlashSale, FlashSaleStatus } from '../api/flashsale.gen.ts';

export interface Change {
  /** Path of the field, such as `spec.stock`. */
  field: string;
  /** Absent: the field was not set, or is not any more. */
  from?: unknown;
  to?: unknown;
  /** What follows. */
  effect: string;
}

/** What runs the sale. */
export type Driver = 'machine' | 'cluster';

/** A sale before and after an edit. `status`: how it stands, for the amounts that move; may be unknown. */
export interface Edit {
  before: FlashSale;
  after: FlashSale;
  status: FlashSaleStatus;
  driver: Driver;
}

/** Lists the changes in the order of the resource; empty: nothing changes. */
export function changesBetween(
  before: FlashSale,
  after: FlashSale,
  status: FlashSaleStatus = {},
  driver: Driver = 'machine',
): Change[] {
  const edit: Edit = { before, after, status, driver };
  return differences(before.spec, after.spec, 'spec').map(({ field, from, to }) => ({
    field,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    effect: effectOf(field, edit),
  }));
}

interface Difference {
  field: string;
  from: unknown;
  to: unknown;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Compares the leaves. Lists are compared as a whole, and what is missing on one side is shown as a whole. */
function differences(from: unknown, to: unknown, field: string): Difference[] {
  if (isObject(from) && isObject(to)) {
    const names = [...new Set([...Object.keys(from), ...Object.keys(to)])];
    return names.flatMap((name) => differences(from[name], to[name], `${field}.${name}`));
  }
  return JSON.stringify(from) === JSON.stringify(to) ? [] : [{ field, from, to }];
}

const units = (count: Units): string => `${count.toLocaleString('en')} unit${count === 1 ? '' : 's'}`;
const numbered = (letter: string, from: number, to: number): string =>
  Array.from({ length: to - from }, (_, i) => `${letter}${from + i}`).join(', ');

type Effect = (edit: Edit) => string;

const always =
  (text: string): Effect =>
  () =>
    text;

const inCluster =
  (text: string): Effect =>
  ({ driver }) =>
    driver === 'cluster' ? text : `${text}; nothing in local mode`;

const LIVE = always('storefronts take it over while they run');

/** What a sale that believes any name lets happen, in the words of every place that tells it. */
export const INSECURE =
  'INSECURE: whoever reaches a storefront can buy as anybody (spec.auth.trustedHeader.insecure is true)';

/** What an edit of each field does; the longest prefix counts. */
const EFFECTS: Record<string, Effect> = {
  'spec.sku': always('another product'),
  'spec.stock': supply,
  'spec.window': LIVE,
  'spec.paused': ({ after }) =>
    after.spec.paused
      ? 'purchases stop at once; tokens already handed out can still be checked out'
      : 'purchases go on',
  'spec.cache.nodes': resize,
  'spec.cache.durability': durability,
  'spec.shards.count': ({ before, after }) =>
    `adds ${numbered('s', before.spec.shards.count, after.spec.shards.count)}, empty; the balancer fills them`,
  'spec.storefront.autoscaling': inCluster('between replicas and maxReplicas, as busy as they are'),
  'spec.storefront.cors': LIVE,
  'spec.storefront.connections': always('counts for connections opened from then on'),
  'spec.storefront.replicas': ({ before, after }) =>
    after.spec.storefront.replicas > before.spec.storefront.replicas
      ? 'more storefronts; the others go on'
      : 'the last ones finish what they are doing and end',
  'spec.token': always('tokens issued from then on'),
  'spec.qualification': LIVE,
  'spec.auth': ({ after }) =>
    `storefronts take it over while they run, and let nobody in where they cannot${after.spec.auth?.trustedHeader?.insecure ? `; ${INSECURE}` : ''}`,
  'spec.orders': always('orders placed from then on'),
  'spec.balancer': always('the balancer takes it over while it runs'),
  'spec.kafka': ({ driver }) =>
    driver === 'cluster'
      ? 'shards, cache nodes and storefronts are restarted, one after the other; no order is lost'
      : 'agents and balancer are restarted, storefronts one after the other; no order is lost',
  'spec.cache.storage': inCluster('volumes that exist keep their size: grow the claims themselves'),
  'spec.shards.storage': inCluster('volumes that exist keep their size: grow the claims themselves'),
  'spec.cache.resources': inCluster('cache nodes are restarted one after the other'),
  'spec.shards.resources': inCluster('shards are restarted one after the other'),
  'spec.storefront.resources': inCluster('storefronts are replaced one after the other'),
  'spec.deletionPolicy': inCluster(
    'what becomes of the volumes and the topic of order events when the resource is deleted',
  ),
};

function effectOf(field: string, edit: Edit): string {
  const prefix = Object.keys(EFFECTS)
    .filter((name) => field === name || field.startsWith(`${name}.`))
    .sort((a, b) => b.length - a.length)[0];
  return prefix === undefined ? 'taken over while the sale runs' : (EFFECTS[prefix]?.(edit) ?? '');
}

function supply({ before, after, status }: Edit): string {
  const nodes = after.spec.cache.nodes;
  const difference = after.spec.stock - before.spec.stock;
  if (difference > 0)
    return `restocks ${units(difference)}, split over ${nodes} cache node${nodes === 1 ? '' : 's'}, allocated to the shards`;
  const { supplied, sold } = status;
  const unsold = supplied === undefined || sold === undefined ? undefined : supplied - sold;
  const most = unsold === undefined ? '' : `; ${units(Math.max(0, unsold))} are unsold now`;
  return `withdraws ${units(-difference)}, as far as they are not sold${most}`;
}

/** Rendezvous hashing: of a nodes to b, |a − b| / max(a, b) of the buyers get another owner node, and no others. */
function resize({ before, after, status }: Edit): string {
  const [from, to] = [before.spec.cache.nodes, after.spec.cache.nodes];
  const share = Math.round((Math.abs(to - from) / Math.max(from, to)) * 100);
  const leaving = (status.caches ?? []).filter(({ id }) => Number(id.slice(1)) >= to);
  const moved = leaving.reduce((total, { virtualAvailable = 0 }) => total + virtualAvailable, 0);
  const who =
    to > from
      ? `adds ${numbered('c', from, to)}`
      : `removes ${numbered('c', to, from)}${leaving.length > 0 ? `, with ${units(moved)} to hand over` : ''}`;
  return `${who}; purchases pause until the live tokens have ended (at most ${before.spec.token.ttl}); ${share} % of the buyers get another owner node`;
}

function durability({ after }: Edit): string {
  const then =
    after.spec.cache.durability === 'Always'
      ? 'a node restarted from then on keeps its tokens'
      : 'a node restarted from then on voids its live tokens, whose buyers purchase again';
  return `cache nodes are restarted one after the other; ${then}`;
}
