// kubectl flashsale pause and resume: purchases stop at once, or go on.

import { Command } from 'commander';
import type { FlashSale } from '../../api/flashsale.gen.ts';
import { withCluster } from '../../cli/cluster.ts';
import { note, print, printJson } from '../../cli/output.ts';
import { asSale, findSale, fullName } from '../../cli/sales.ts';
import { RESOURCES } from '../../kube/objects.ts';
import { changesBetween } from '../../topology/changes.ts';
import { type CommonOptions, examples, takesSale } from '../options.ts';
import { sourceOf } from '../source.ts';

export const pauseCommand = (): Command =>
  takesSale(new Command('pause'))
    .description('stop purchases at once; tokens already handed out can still be checked out')
    .addHelpText('after', examples('pause phone-launch'))
    .action(setPaused(true));

export const resumeCommand = (): Command =>
  takesSale(new Command('resume'))
    .description('let purchases go on')
    .addHelpText('after', examples('resume phone-launch'))
    .action(setPaused(false));

const setPaused = (paused: boolean) => (name: string | undefined, _: unknown, command: Command) => {
  const options = command.optsWithGlobals<CommonOptions>();
  return withCluster(options, async (cluster) => {
    const before = await findSale(cluster, name);
    const { namespace, name: found } = before.metadata;
    const changed = before.spec.paused !== paused;
    const after = changed
      ? asSale(await cluster.client.patch(RESOURCES.FlashSale, namespace, found, { spec: { paused } }))
      : before;
    if (options.output === 'json') printJson({ sale: fullName(after), paused, changed });
    else print(sentence(before, after));
    const source = sourceOf(before);
    if (changed && source !== undefined)
      note(`${source} sets this sale from its source; change spec.paused there, too, or this may be undone`);
  });
};

function sentence(before: FlashSale, after: FlashSale): string {
  const [change] = changesBetween(before, after, before.status, 'cluster');
  if (!change) return `${fullName(after)} ${after.spec.paused ? 'is paused already' : 'is not paused'}`;
  return `${fullName(after)} is ${after.spec.paused ? 'paused' : 'resumed'}: ${change.effect}`;
}
