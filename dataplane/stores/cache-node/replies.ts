// Translates the replies of the scripts in dataplane/stores/cache-node/lua to the types of cache-node.ts, and arguments
// back. Pure. A reply that does not look as its script's header says is a mistake and throws.

import { type BuyerId, isShardId, type Millis, type ShardId, type Units } from '../../protocol/units.ts';
import type {
  BuyerRecord,
  DueReply,
  Expected,
  NodeIdentity,
  NodeState,
  PurchaseMode,
  ReserveReply,
  ReserveRequest,
  ReserveTerms,
  TokenRecord,
} from './cache-node.ts';

/** Returns what an identity begins with, for scripts that compare the epoch only. The space ends the number. */
export const epochPrefix = ({ incarnation, epoch }: Expected): string => `${incarnation} ${epoch} `;

export const layoutPrefix = (identity: Expected & { layout: number }): string =>
  `${epochPrefix(identity)}${identity.layout} `;

/** Parses the fields identity, node and count of the hash `node`. Returns undefined when the node has no identity. */
export function parseIdentity(fields: unknown): NodeIdentity | undefined {
  const [text, node, count] = fields as (string | null)[];
  if (!text || !node) return undefined;
  const [incarnation, epoch, layout, mode] = text.split(' ');
  if (incarnation === undefined) return undefined;
  return {
    incarnation,
    node: node as NodeIdentity['node'],
    epoch: Number(epoch),
    layout: Number(layout),
    count: Number(count),
    paused: (mode as PurchaseMode) !== 'selling',
  };
}

const at = (seconds: string | undefined, micros: string | undefined): Millis =>
  Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);

/** Parses the value of b:<buyer>, whose form record.lua defines. */
export function parseBuyer(buyer: BuyerId, text: string): BuyerRecord {
  const [account = '', sequence, state, shard, quantity, ttl, seconds, micros, id] = text.split(' ');
  const token: TokenRecord | undefined =
    id !== undefined && shard !== undefined && isShardId(shard)
      ? {
          sequence: Number(sequence),
          id,
          buyer,
          quantity: Number(quantity),
          shard,
          due: at(seconds, micros) + Number(ttl),
          state: state === 'L' ? 'live' : 'settled',
        }
      : undefined;
  const [ordered, count, last] = account.split(':');
  const lapses = count === undefined ? undefined : { count: Number(count), last: Number(last) };
  return { buyer, ordered: Number(ordered), lapses, token };
}

export function reserveArguments(terms: ReserveTerms, requests: readonly ReserveRequest[]): (string | number)[] {
  const { ttl, perBuyer, mostLapsed, cooldown } = terms;
  const args: (string | number)[] = [`${layoutPrefix(terms)}selling`, ttl, perBuyer, mostLapsed, cooldown];
  for (const { id, buyer, quantity, shard } of requests) args.push(id, buyer, quantity, shard);
  return args;
}

export function parseReserve(terms: ReserveTerms, requests: readonly ReserveRequest[], reply: unknown): ReserveReply[] {
  const [first, second, ...answers] = reply as ['stale', (string | null)[]] | [string, string, ...string[]];
  if (typeof second !== 'string') {
    const stale = staleReply(terms, parseIdentity(second));
    return requests.map(() => stale);
  }
  if (answers.length !== requests.length) throw new Error('reserve answers once for each request');
  const now = at(first, second);
  return requests.map((request, i) => answerOf(terms, request, now, answers[i] ?? ''));
}

function staleReply({ incarnation, epoch, layout }: ReserveTerms, identity: NodeIdentity | undefined): ReserveReply {
  const expected = identity?.incarnation === incarnation && identity.epoch === epoch && identity.layout === layout;
  return identity?.paused && expected ? { kind: 'paused' } : { kind: 'stale', identity };
}

function answerOf(
  { ttl }: ReserveTerms,
  { id, buyer, quantity, shard }: ReserveRequest,
  now: Millis,
  answer: string,
): ReserveReply {
  const space = answer.indexOf(' ');
  const kind = answer.slice(0, space);
  const rest = answer.slice(space + 1);
  switch (kind) {
    case 'token': {
      const token: TokenRecord = { sequence: Number(rest), id, buyer, quantity, shard, due: now + ttl, state: 'live' };
      return { kind, fresh: true, left: ttl, token };
    }
    case 'live': {
      const { token } = parseBuyer(buyer, rest);
      if (token === undefined) throw new Error('reserve answered a live token that cannot be read');
      // Whatever the clock did, a token never has more left than it was given.
      const given = Number(rest.split(' ')[5]);
      const left = Math.min(given, Math.max(0, token.due - now));
      return { kind: 'token', fresh: false, left, token };
    }
    case 'lapsed': {
      const [lapsed, until] = rest.split(' ').map(Number);
      if (lapsed === undefined || until === undefined) throw new Error('reserve answered a lapse that cannot be read');
      return { kind, lapsed, until, left: until - now };
    }
    case 'limit':
      return { kind, ordered: Number(rest) };
    case 'short':
      return { kind, virtual: Number(rest) };
    default:
      throw new Error(`reserve answered ${kind}`);
  }
}

const pairs = (flat: string[]): Map<string, string> => {
  const map = new Map<string, string>();
  for (let i = 0; i + 1 < flat.length; i += 2) map.set(flat[i] ?? '', flat[i + 1] ?? '');
  return map;
};

export function parseState(reply: unknown): NodeState | undefined {
  const [fields, pins, issued] = reply as [string[], string[], number];
  const node = pairs(fields);
  const identity = parseIdentity([node.get('identity') ?? null, node.get('node') ?? null, node.get('count') ?? null]);
  if (identity === undefined) return undefined;
  const number = (field: string): number => Number(node.get(field) ?? 0);
  const pinned: Partial<Record<ShardId, Units>> = {};
  let liveUnits = 0;
  for (const [shard, text] of pairs(pins)) {
    const units = Number(text);
    liveUnits += units;
    if (units !== 0 && isShardId(shard)) pinned[shard] = units;
  }
  const settledTokens = number('settledTokens');
  const returnedTokens = number('returnedTokens');
  const granted = number('granted');
  const revoked = number('revoked');
  return {
    identity,
    virtual: number('virtual'),
    granted,
    revoked,
    issued,
    closing: number('closing'),
    liveTokens: issued - settledTokens - returnedTokens,
    liveUnits,
    pinned,
    settledUnits: number('settledUnits'),
    returnedUnits: number('returnedUnits'),
    orderedBefore: number('orderedBefore'),
    draining: node.get('identity')?.endsWith(' draining') ?? false,
    // Every change raises one of these lifetime totals of the epoch, and none ever falls.
    sequence: issued + settledTokens + returnedTokens + granted + revoked + number('modeChanges'),
  };
}

export function parseDue(reply: unknown): DueReply | undefined {
  if (reply === null) return undefined;
  const [upTo, looked, more, seconds, micros, flat] = reply as [
    number,
    number,
    0 | 1,
    string,
    string,
    (string | number)[],
  ];
  const tokens: TokenRecord[] = [];
  for (let i = 0; i + 2 < flat.length; i += 3) {
    const { token } = parseBuyer(String(flat[i + 1]), String(flat[i + 2]));
    if (token) tokens.push(token);
  }
  return { upTo, looked, more: more === 1, tokens, now: at(seconds, micros) };
}
