// The one logger. Structured (pino), to standard output. Buyers are personal data (R25): no line carries one;
// the paths below are a second net.

import { type Logger, pino } from 'pino';

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
