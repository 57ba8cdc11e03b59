// The options that mean the same in every command, as kubectl calls them. They may stand before or after the command.

import type { Command } from 'commander';
import type { ClusterChoice } from '../cli/kubeconfig.ts';
import { type Format, outputOption } from '../cli/options.ts';

export interface CommonOptions extends ClusterChoice {
  output: Format;
}

export interface ListOptions extends CommonOptions {
  allNamespaces?: boolean;
}

export const choosesCluster = (command: Command): Command =>
  command
    .option('--kubeconfig <file>', 'the kubeconfig file; else those of KUBECONFIG, else ~/.kube/config')
    .option('--context <name>', "the kubeconfig's context; else its current one")
    .option('-n, --namespace <name>', "the namespace; else the context's");

/** Adds the options of a command about one sale. */
export const takesSale = (command: Command): Command =>
  command
    .argument('[sale]', 'name, or namespace/name; not needed while there is only one in the namespace')
    .addOption(outputOption());

/** Adds the options of a command about one sale or all of them. */
export const takesSales = (command: Command): Command =>
  command
    .argument('[sale]', 'name, or namespace/name; else every sale of the namespace')
    .option('-A, --all-namespaces', 'the sales of all namespaces')
    .addOption(outputOption());

export const examples = (...lines: string[]): string =>
  `\nExamples:\n${lines.map((line) => `  $ kubectl flashsale ${line}`).join('\n')}`;
