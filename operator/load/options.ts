// The crowd's options, the same for `flashsale load` and hack/demo: what a person writes → LoadOptions.

import { type Command, InvalidArgumentError } from 'commander';
import type { Units } from '../../dataplane/protocol/units.ts';
import type { LoadOptions } from './plan.ts';

export interface CrowdFlags {
  buyers?: number;
  rate?: number;
  duplicates: number;
  abandon: number;
  comeBack?: boolean;
  cancel: number;
  forged: number;
  foreign: number;
  seed: number;
}

const share = (text: string): number => {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1))
    throw new InvalidArgumentError('write a share from 0 to 1, for example 0.1');
  return value;
};

const whole = (text: string): number => {
  const value = Number(text);
  if (!/^\d{1,9}$/.test(text) || value < 1) throw new InvalidArgumentError('write a whole number from 1 to 999999999');
  return value;
};

export const crowdOptions = (command: Command): Command =>
  command
    .option('--buyers <n>', 'how many come (default: twice what the stock serves)', whole)
    .option('--rate <n>', 'arrivals per second, whatever the answers are (default: all of them in about 30 s)', whole)
    .option('--duplicates <p>', 'share who click twice', share, 0.1)
    .option('--abandon <p>', 'share who let their token lapse', share, 0.1)
    .option('--come-back', 'those who let it lapse come back for another one')
    .option('--cancel <p>', 'share who cancel their order; needs orders.paymentDeadline', share, 0)
    .option('--forged <p>', 'share who also try an altered token', share, 0.01)
    .option('--foreign <p>', 'share whose token somebody else tries', share, 0.01)
    .option('--seed <n>', 'another crowd', whole, 1);

export function crowdOf(flags: CrowdFlags, sale: { stock: Units; maxQuantity: Units }): LoadOptions {
  const buyers = flags.buyers ?? Math.max(2, Math.ceil((4 * sale.stock) / (1 + sale.maxQuantity)));
  return {
    buyers,
    rate: flags.rate ?? Math.max(50, Math.ceil(buyers / 30)),
    maxQuantity: sale.maxQuantity,
    duplicates: flags.duplicates,
    abandon: flags.abandon,
    comeBack: flags.comeBack === true,
    cancel: flags.cancel,
    forged: flags.forged,
    foreign: flags.foreign,
    think: 300,
    seed: flags.seed,
    prefix: 'buyer-',
  };
}
