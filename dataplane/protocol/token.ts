// Signs and verifies the token that a purchase yields (protocol: "Purchase"): what the cache node stored, signed, so
// that the checkout can trust it without asking anybody. A token is not secret from its buyer, and worth nothing to
// anybody else, because the buyer is part of it. The same claims always give the same characters: a duplicate click
// gets a byte-identical token.
//
//   fs1.<incarnation>.<id>.<quantity>.<node>.<epoch>.<sequence>.<shard>.<due>.<buyer, base64url>.<mac, base64url>
//
// The mac is HMAC-SHA256 over every character before its dot. It is compared as text, so that no second spelling
// of the same bytes passes: a token with any character altered is invalid.

import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';
import {
  type BuyerId,
  type Epoch,
  type Incarnation,
  isShardId,
  type Millis,
  type NodeId,
  type SequenceNumber,
  type ShardId,
  type TokenId,
  type Units,
} from './units.ts';

export interface TokenClaims {
  incarnation: Incarnation;
  id: TokenId;
  buyer: BuyerId;
  quantity: Units;
  node: NodeId;
  epoch: Epoch;
  sequence: SequenceNumber;
  shard: ShardId;
  /** When the token is due, by the node's clock. It is for information: only the node decides by it. */
  due: Millis;
}

/**
 * The reason is `form` for a text that does not look like a token, and `signature` for one that was altered or is
 * another sale's.
 */
export type TokenVerdict = { valid: true; claims: TokenClaims } | { valid: false; reason: 'form' | 'signature' };

export interface TokenSigner {
  sign(claims: TokenClaims): string;
  /** Returns the claims of a valid token. It never throws, whatever the text. */
  verify(text: string): TokenVerdict;
}

const VERSION = 'fs1';
const MAC_LENGTH = 43;
/** No token this program makes is longer: a buyer has at most 128 characters. */
const MAX_LENGTH = 1024;
const FORM: TokenVerdict = { valid: false, reason: 'form' };
const SIGNATURE: TokenVerdict = { valid: false, reason: 'signature' };

/** Makes a signer. `key` is the secret `token-key`: base64 of at least 32 bytes. Throws when it is shorter. */
export function tokenSigner(key: string): TokenSigner {
  const bytes = Buffer.from(key, 'base64');
  if (bytes.length < 32) throw new Error('the token key must be base64 of at least 32 bytes');
  const secret = createSecretKey(bytes);
  const mac = (payload: string): string => createHmac('sha256', secret).update(payload).digest('base64url');

  return {
    sign(c) {
      const buyer = Buffer.from(c.buyer).toString('base64url');
      const payload = `${VERSION}.${c.incarnation}.${c.id}.${c.quantity}.${c.node}.${c.epoch}.${c.sequence}.${c.shard}.${c.due}.${buyer}`;
      return `${payload}.${mac(payload)}`;
    },
    verify(text) {
      const dot = text.length - MAC_LENGTH - 1;
      if (dot < 1 || text.length > MAX_LENGTH || text[dot] !== '.' || !text.startsWith(VERSION)) return FORM;
      const payload = text.slice(0, dot);
      const given = Buffer.from(text.slice(dot + 1));
      if (given.length !== MAC_LENGTH || !timingSafeEqual(given, Buffer.from(mac(payload)))) return SIGNATURE;
      return claimsOf(payload);
    },
  };
}

const NUMBER = /^(0|[1-9]\d{0,15})$/;
const number = (text: string | undefined): number => (text !== undefined && NUMBER.test(text) ? Number(text) : NaN);
const isNodeId = (text: string): text is NodeId => /^c(0|[1-9]\d{0,5})$/.test(text);

/**
 * Reads the claims of a payload whose signature is right. Where that fails, another version of this program signed it.
 */
function claimsOf(payload: string): TokenVerdict {
  const parts = payload.split('.');
  const [version, incarnation, id, quantity, node, epoch, sequence, shard, due, buyer] = parts;
  if (parts.length !== 10 || version !== VERSION) return FORM;
  if (!incarnation || !id || !buyer || !node || !shard || !isNodeId(node) || !isShardId(shard)) return FORM;
  const claims: TokenClaims = {
    incarnation,
    id,
    buyer: Buffer.from(buyer, 'base64url').toString(),
    quantity: number(quantity),
    node,
    epoch: number(epoch),
    sequence: number(sequence),
    shard,
    due: number(due),
  };
  const sum = claims.quantity + claims.epoch + claims.sequence + claims.due;
  return Number.isNaN(sum) || claims.quantity < 1 ? FORM : { valid: true, claims };
}
