// The rules of the sale as configured now: its lists, rate limit, webhook, and how buyers are identified. An edit takes
// effect with the next request. What did not change keeps its state (token buckets, lists in memory, remembered JWTs).

import { isDeepStrictEqual } from 'node:util';
import { isInsecure, type ListConfig, type SaleConfig } from '../protocol/config.ts';
import type { BuyerId } from '../protocol/units.ts';
import type { Logger } from '../runtime/log.ts';
import { challenge, type Identify, identifier, nobody } from './authentication.ts';
import { BuyerList } from './lists.ts';
import type { Rules } from './qualification.ts';
import { RateLimit } from './rate.ts';
import { Webhook } from './webhook.ts';

export interface CurrentRules extends Rules {
  sale: SaleConfig;
  allow?: BuyerList;
  deny?: BuyerList;
  rate?: RateLimit;
  webhook?: Webhook;
  identify: Identify;
  /** The origins whose pages may act for their visitors; absent: none. */
  origins?: ReadonlySet<string>;
  /** The value of the header WWW-Authenticate of a 401. */
  challenge: string;
}

export interface RulesDeps {
  configFile: string;
  secret(name: string): string;
  log: Logger;
  webhookFailed(error: unknown): void;
}

/**
 * Makes the rules of a configuration. `before` are the rules until now: their parts are kept where the configuration is
 * the same, and closed where it is not.
 */
export function rulesFor(sale: SaleConfig, deps: RulesDeps, before?: CurrentRules): CurrentRules {
  const { allow, deny, rateLimit, webhook } = sale.qualification;
  const old = before?.sale.qualification;
  const kept = <T>(now: unknown, then: unknown, part: T | undefined): T | undefined =>
    isDeepStrictEqual(now, then) ? part : undefined;

  const list = (config: ListConfig, former: BuyerList | undefined, everybody: boolean) => {
    // Until the list of an edit is read, the one before it decides; where there was none, as if there were none.
    const standIn = before && former?.known !== false ? (buyer: BuyerId) => former?.has(buyer) ?? everybody : undefined;
    return new BuyerList(config, deps.configFile, deps.log, standIn);
  };
  const parts = {
    allow: allow && (kept(allow, old?.allow, before?.allow) ?? list(allow, before?.allow, true)),
    deny: deny && (kept(deny, old?.deny, before?.deny) ?? list(deny, before?.deny, false)),
    rate: rateLimit && (kept(rateLimit, old?.rateLimit, before?.rate) ?? new RateLimit(rateLimit)),
    origins: sale.cors && new Set(sale.cors.origins),
    webhook: webhook && (kept(webhook, old?.webhook, before?.webhook) ?? new Webhook(webhook, deps.webhookFailed)),
  };
  const identify = kept(sale.auth, before?.sale.auth, before?.identify) ?? identifierOr(before, sale, deps);
  if (before?.allow !== parts.allow) before?.allow?.close();
  if (before?.deny !== parts.deny) before?.deny?.close();
  if (before?.webhook !== parts.webhook) void before?.webhook?.close();
  return { sale, ...defined(parts), identify, challenge: challenge(sale.auth) };
}

/**
 * Makes the function that identifies buyers, or one that lets nobody in. A pod that was started before an edit of `auth`
 * may not have the new key: it is going to be replaced. Whoever was let in by the old way might be the reason for the
 * edit, so the old way is over.
 */
function identifierOr(before: CurrentRules | undefined, { auth }: SaleConfig, { secret, log }: RulesDeps): Identify {
  try {
    if (isInsecure(auth))
      log.warn('whoever reaches this storefront can buy as anybody: trustedHeader.insecure is true');
    return identifier(auth, secret);
  } catch (error) {
    if (!before) throw error;
    log.warn({ err: error }, 'nobody is let in: the new way to identify buyers cannot be set up here');
    return nobody;
  }
}

export function closeRules({ allow, deny, webhook }: CurrentRules): void {
  allow?.close();
  deny?.close();
  void webhook?.close();
}

type Defined<T> = { [K in keyof T]?: NonNullable<T[K]> };
const defined = <T extends object>(parts: T): Defined<T> =>
  Object.fromEntries(Object.entries(parts).filter(([, part]) => part !== undefined)) as Defined<T>;
