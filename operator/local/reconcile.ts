// One reconcile: makes everything on this machine as a plan says, step by step. Every step is idempotent, and each may be
// the last: an edit ends the reconcile and begins another with a newer plan.
//
//   ports → servers → databases → configuration → roles → registry, until it agrees → leavers stop
//
// A database comes before its agent; a cache node runs before it is wanted, and ends after it is not used any more.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Millis } from '../../dataplane/protocol/units.ts';
import { agree, type RegistrySession } from '../sale/agree.ts';
import { provision } from '../sale/databases.ts';
import { nodesToRun, unsettled, type Wanted, wantedOf } from '../sale/registry-steps.ts';
import { SUPERUSER } from '../topology/postgres-settings.ts';
import type { Topology } from '../topology/topology.ts';
import { forgetLists } from './companions.ts';
import { stopOrphans } from './fleet.ts';
import { HOST } from './ports.ts';
import { POSTGRES, portNames } from './processes.ts';
import { secretOf, superuserPassword } from './secrets.ts';
import type { Plan, Site } from './site.ts';

const REGISTRY_POLL: Millis = 200;

/** Resolves when everything is as the plan says. Rejects when a step fails, or `signal` ends it. */
export async function reconcile(site: Site, plan: Plan, signal: AbortSignal): Promise<void> {
  const { topology } = plan;
  for (const names of portNames(topology, site.nodes()).values())
    for (const name of names) await site.ports.choose(name);
  const specs = site.specs(plan);
  site.fleet.expect(specs);
  await stopOrphans(site.folder, new Set(specs.map(({ name }) => name)));

  await site.fleet.start(
    specs.filter(({ stage }) => stage === 'servers'),
    signal,
  );
  await site.fleet.get(POSTGRES)?.whenReady(signal);
  await makeDatabases(site, topology);
  signal.throwIfAborted();

  const config = site.configure(plan);
  await site.fleet.start(
    specs.filter(({ stage }) => stage !== 'servers'),
    signal,
  );
  await stopSurplus(site, plan);

  await site.view.connect(config);
  await untilSettled(site, wantedOf(topology), signal);
  await dismissNodes(site, plan);
  forgetLists(site.folder, plan.lists);
}

async function makeDatabases(site: Site, { shards, pool }: Topology): Promise<void> {
  const at = {
    ...{ host: HOST, port: await site.ports.choose(POSTGRES) },
    ...{ user: SUPERUSER, password: superuserPassword(site.folder) },
  };
  const databases = [...shards.members, pool].map(({ database }) => database);
  const made = await provision(at, databases, (name) => secretOf(site.folder, name));
  if (made.length > 0) site.log.info({ databases: made }, 'databases made');
}

/** Writes what the registry lacks, and waits until the pool's agent has carried it out. */
async function untilSettled({ view }: Site, wanted: Wanted, signal: AbortSignal): Promise<void> {
  const session: RegistrySession = {
    // The registry is not there until the pool's agent has made it, and is away while PostgreSQL is: it is asked again.
    read: () => view.read().catch(() => undefined),
    take: (step) => view.take(step),
  };
  for (;;) {
    signal.throwIfAborted();
    if (unsettled(await agree(session, wanted), wanted) === undefined) return;
    await sleep(REGISTRY_POLL, undefined, { signal });
  }
}

/** Processes that the plan does not know: storefronts of a lowered count, a Kafka the sale does not need any more. */
async function stopSurplus(site: Site, plan: Plan): Promise<void> {
  const known = new Set(site.specs(plan).map(({ name }) => name));
  await site.fleet.stop(site.fleet.names().filter((name) => !known.has(name)));
}

/** Cache nodes that no layout uses any more end; what they keep stays, for they may come back. */
async function dismissNodes(site: Site, plan: Plan): Promise<void> {
  const { state } = site;
  const nodes = nodesToRun(site.view.registry, plan.topology.caches.nodes.length, state?.nodes ?? 0);
  if (!state || nodes === state.nodes) return;
  site.remember({ ...state, nodes });
  site.configure(plan);
  await stopSurplus(site, plan);
}
