// The one logger: structured lines (pino) to standard output. Buyers are personal data (R25), so no line carries one;
// the paths below are a second line of defence.

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
