// The options that mean the same in every command.

import { type Command, InvalidArgumentError, Option } from 'commander';
import type { SaleChoice } from '../local/find.ts';

export type Format = 'text' | 'json';

export const outputOption = (): Option =>
  new Option('-o, --output <format>', 'how to print the result').choices(['text', 'json']).default('text');

export interface ChoiceOptions {
  file?: string;
  data?: string;
}

/** Adds `[sale]`, -f and --data, by which a person names a sale; none is needed while there is only one. */
export const choosesSale = (command: Command): Command =>
  command
    .argument('[sale]', 'name, or namespace/name; not needed while there is only one')
    .option('-f, --file <file>', 'the sale of this FlashSale file')
    .option('--data <folder>', 'the sale in this data folder');

export const choiceOf = (sale: string | undefined, { file, data }: ChoiceOptions): SaleChoice => ({
  ...(sale === undefined ? {} : { name: sale }),
  ...(file === undefined ? {} : { file }),
  ...(data === undefined ? {} : { data }),
});

/** Refuses what is not a whole number within the bounds, in words. */
export const wholeNumber =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most)
      throw new InvalidArgumentError(`write a whole number from ${least} to ${most}`);
    return value;
  };

export const examples = (...lines: string[]): string =>
  `\nExamples:\n${lines.map((line) => `  $ flashsale ${line}`).join('\n')}`;
