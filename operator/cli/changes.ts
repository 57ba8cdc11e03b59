// An edit, or a new sale, in words, for the commands that plan and make one.

import { isInsecure } from '../../dataplane/protocol/config.ts';
import type { FlashSale } from '../api/flashsale.gen.ts';
import { type Change, INSECURE } from '../topology/changes.ts';
import { buildTopology } from '../topology/topology.ts';
import { table } from './output.ts';

const shown = (value: unknown): string => {
  const text = value === undefined ? 'unset' : typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
};

export const changeLines = (changes: Change[]): string[] =>
  changes.length === 0
    ? ['nothing to change']
    : table(changes.map(({ field, from, to, effect }) => [`${field}:`, `${shown(from)} → ${shown(to)}`, effect])).split(
        '\n',
      );

interface NewSale {
  caches: number;
  shards: number;
  storefronts: number;
  kafka: string[] | 'own';
  /** Whoever reaches a storefront can buy as anybody. */
  insecure: boolean;
}

export function newSale(sale: FlashSale): NewSale {
  const { caches, shards, storefronts, kafka, settings } = buildTopology(sale);
  return {
    caches: caches.nodes.length,
    shards: shards.members.length,
    storefronts: storefronts.replicas,
    kafka: kafka.brokers ?? 'own',
    insecure: isInsecure(settings.auth),
  };
}

/** What a plan says of a sale whatever it changes. */
export const warningLines = (sale: FlashSale): string[] => (newSale(sale).insecure ? [INSECURE] : []);

/** Describes the changes. `usualKafka` is what a sale gets that names no Kafka. */
export function whatIsNew(sale: FlashSale, usualKafka: string): string {
  const { caches, shards, storefronts, kafka } = newSale(sale);
  const parts = `${sale.metadata.namespace}/${sale.metadata.name} is new: ${caches} cache nodes, ${shards} shards and the pool, ${storefronts} storefronts, ${kafka === 'own' ? usualKafka : `Kafka at ${kafka.join(', ')}`}`;
  return [parts, ...warningLines(sale)].join('\n');
}
