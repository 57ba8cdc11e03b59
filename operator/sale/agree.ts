// Tells the registry what the resource wants, in the same way for every driver. What is to be told is decided in
// registry-steps.ts.

import type { OperatorRegistry, RegistryView } from '../../dataplane/stores/registry/registry.ts';
import { registrySteps, type Step, type Wanted } from './registry-steps.ts';

/** What a driver offers: its connection to the registry, which keeps what was last read. */
export interface RegistrySession {
  /** Returns undefined while no sale is in the registry, or nobody is connected to it. */
  read(): Promise<RegistryView | undefined>;
  take(step: Step): Promise<void>;
}

/** Takes the steps that the registry lacks, and reads it again if there were any. Returns what was read last. */
export async function agree(session: RegistrySession, wanted: Wanted): Promise<RegistryView | undefined> {
  const view = await session.read();
  const steps = view ? registrySteps(view, wanted) : [];
  for (const step of steps) await session.take(step);
  return steps.length > 0 ? session.read() : view;
}

/** Writes one step into the registry. Rejects when the registry does not answer. */
export async function takeStep(
  registry: Pick<OperatorRegistry, 'wantNodes' | 'setPaused' | 'setSupply'>,
  step: Step,
): Promise<void> {
  const { incarnation, generation } = step;
  if (step.kind === 'want-nodes') await registry.wantNodes(incarnation, generation, step.count);
  else if (step.kind === 'set-paused') await registry.setPaused(incarnation, generation, step.paused);
  else await registry.setSupply(incarnation, generation, step.target);
}
