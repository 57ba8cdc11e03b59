// The one logger. Structured (pino), to standard output. Buyers are personal data (R25): log `buyerTag(id)`,
// never the id; the paths below are a second net.

import { createHmac, randomBytes } from 'node:crypto';
import { type Logger, pino } from 'pino';
import type { BuyerId } from '../protocol/units.ts';

export type { Logger };

export function makeLogger(role: string, fields: Record<string, string> = {}): Logger {
  return pino({
    level: process.env.FLASHSALE_LOG_LEVEL ?? 'info',
    base: { role, ...fields },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: ['buyer', '*.buyer', 'password', '*.password', 'authorization', '*.authorization'],
      censor: '[hidden]',
    },
  });
}

const salt = randomBytes(16);

/** The same for one buyer within one process, and nothing outside it. */
export const buyerTag = (buyer: BuyerId): string =>
  createHmac('sha256', salt).update(buyer).digest('base64url').slice(0, 10);
