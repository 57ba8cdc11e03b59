// The arrows of the house: which room may import which (docs/architecture.md shows the picture). Pure: takes
// modules, returns what is wrong in words. To let a room import another one, add it to `rooms` and say why there.

import type { Module } from './imports.ts';

const sharedRooms = ['dataplane/protocol', 'dataplane/stores', 'dataplane/runtime'];

/**
 * Every file belongs to the first room whose folder it lies in. A room may always import itself, and read the files of its
 * own folder; it reads those of others only where `reads` names them, because a file's room alone knows what it means.
 */
const rooms: { folder: string; may: string[]; reads?: string[] }[] = [
  // What the roles say to each other depends on nobody.
  { folder: 'dataplane/protocol', may: [] },
  { folder: 'dataplane/runtime', may: ['dataplane/protocol'] },
  { folder: 'dataplane/stores', may: ['dataplane/protocol'] },
  // What a role needs to serve HTTP; it knows no role and no store.
  { folder: 'dataplane/http', may: ['dataplane/protocol'] },
  // The roles know each other only by what they say.
  // A storefront says its version.
  { folder: 'dataplane/storefront', may: [...sharedRooms, 'dataplane/http'], reads: ['package.json'] },
  { folder: 'dataplane/cache-agent', may: sharedRooms },
  { folder: 'dataplane/shard-agent', may: sharedRooms },
  // It starts the roles by the paths of their entry points, never by importing them. The CRD holds the rules of the API.
  {
    folder: 'operator',
    may: sharedRooms,
    reads: [...['storefront', 'cache-agent', 'shard-agent'].map((role) => `dataplane/${role}/main.ts`), 'crds'],
  },
  // The dashboards name the metrics that the roles and the operator show.
  { folder: 'charts', may: ['operator', 'dataplane'] },
  // Generators and tests look at everything.
  { folder: 'hack', may: ['operator', 'dataplane', 'charts', 'test'], reads: ['.'] },
  { folder: 'test', may: ['operator', 'dataplane', 'charts', 'hack'], reads: ['.'] },
];

/** The balancer's one loop, and the program around it. */
const balancerEffects = new Set(['operator/balancer/loop.ts', 'operator/balancer/main.ts']);

/** What the operator decides by. */
const reconcileDecisions = new Set(
  ['adopt', 'balance', 'conditions', 'observed', 'progress', 'reasons', 'status', 'degraded-reasons', 'volumes'].map(
    (name) => `operator/reconcile/${name}.ts`,
  ),
);

/** The three that speak HTTP to an API server; the others of that folder are given what does. */
const kubeEffects = new Set(['client', 'connection', 'transport'].map((name) => `operator/kube/${name}.ts`));

/** What decides and never acts. Nothing it imports, however far away, may reach a server, a disk or a process. */
const isPure = (file: string) =>
  inside(file, 'dataplane/protocol') ||
  inside(file, 'operator/topology') ||
  inside(file, 'operator/manifests') ||
  (inside(file, 'operator/balancer') && !balancerEffects.has(file)) ||
  (inside(file, 'operator/kube') && !kubeEffects.has(file)) ||
  reconcileDecisions.has(file) ||
  /^operator\/console\/(history|prometheus-text|snapshot|traffic)\.ts$/.test(file) ||
  file === 'operator/audit/check.ts';

const effects = new Set([
  ...['@kubernetes/client-node', 'express', 'ioredis', 'kafkajs', 'pg', 'undici'],
  ...['child_process', 'cluster', 'dgram', 'dns', 'fs', 'http', 'http2', 'https', 'net', 'tls', 'worker_threads'].map(
    (name) => `node:${name}`,
  ),
]);

const inside = (file: string, folder: string) => file.startsWith(`${folder}/`);
const roomOf = (file: string) => rooms.find(({ folder }) => inside(file, folder));

/** `pg/lib/x` and `node:fs/promises` count as `pg` and `node:fs`. */
const isEffect = (target: string) =>
  effects.has(target) || [...effects].some((effect) => target.startsWith(`${effect}/`));

/** Imports that cross from one room to another against the arrows. */
export function wrongArrows(modules: Module[]): string[] {
  const files = new Set(modules.map(({ file }) => file));
  return modules.flatMap(({ file, imports }) => {
    const room = roomOf(file);
    if (room === undefined) return [`${file} lies in no room of test/harness/arrows.ts`];
    return imports
      .map(({ target }) => target)
      .filter((target) => files.has(target) && ![room.folder, ...room.may].some((folder) => inside(target, folder)))
      .map((target) => `${file} imports ${target}`);
  });
}

/** Files and folders that a file reaches by a path, past the arrows. The root alone is the start of a longer path. */
export function wrongPaths(modules: Module[]): string[] {
  return modules.flatMap(({ file, paths }) => {
    const room = roomOf(file);
    const may = room === undefined ? [] : [room.folder, ...(room.reads ?? [])];
    const allowed = (path: string) =>
      path === '.' || may.some((part) => part === '.' || path === part || inside(path, part));
    return paths.filter((path) => !allowed(path)).map((path) => `${file} reaches ${path} by its path`);
  });
}

/** How a pure file comes to a client library or to the system, as the path of imports that leads there. */
export function impurities(modules: Module[]): string[] {
  const byFile = new Map(modules.map((module) => [module.file, module]));
  return modules
    .filter(({ file }) => isPure(file))
    .flatMap(({ file }) => {
      const seen = new Set<string>();
      const wayOut = (from: string): string[] | undefined => {
        if (isEffect(from)) return [from];
        if (seen.has(from)) return undefined;
        seen.add(from);
        for (const { target, typeOnly } of byFile.get(from)?.imports ?? []) {
          const way = typeOnly ? undefined : wayOut(target);
          if (way !== undefined) return [from, ...way];
        }
        return undefined;
      };
      return wayOut(file)?.join(' → ') ?? [];
    });
}

/** One cycle for each file or folder through which one leads first; types count, because a reader follows them too. */
export function cycles(edges: Map<string, string[]>): string[] {
  const done = new Set<string>();
  const found: string[] = [];
  const walk = (node: string, path: string[]) => {
    const at = path.indexOf(node);
    if (at >= 0) found.push([...path.slice(at), node].join(' → '));
    if (at >= 0 || done.has(node)) return;
    for (const next of edges.get(node) ?? []) walk(next, [...path, node]);
    done.add(node);
  };
  for (const node of edges.keys()) walk(node, []);
  return found;
}

/** In tests only what happens at run time counts: a simulated world and its actors know each other's shape. */
export const fileEdges = (modules: Module[]): Map<string, string[]> =>
  new Map(
    modules.map(({ file, imports }) => [
      file,
      imports.filter(({ typeOnly }) => !(typeOnly && inside(file, 'test'))).map(({ target }) => target),
    ]),
  );

/** Folders two levels deep (`operator/balancer`): a folder and those inside it are one thing. Tests are no floor. */
export function folderEdges(modules: Module[]): Map<string, string[]> {
  const folderOf = (file: string) => file.split('/').slice(0, 2).join('/');
  const edges = new Map<string, string[]>();
  for (const { file, imports } of modules.filter((module) => !inside(module.file, 'test'))) {
    const folder = folderOf(file);
    const others = imports.map(({ target }) => folderOf(target)).filter((other) => other !== folder);
    edges.set(folder, [...new Set([...(edges.get(folder) ?? []), ...others])]);
  }
  return edges;
}
