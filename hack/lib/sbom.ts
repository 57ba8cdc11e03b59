// The bill of materials of flashsale's image, as CycloneDX 1.5 JSON on standard output: what `npm sbom` says of our packages,
// Node, and Debian's packages. The same input gives the same bytes.
//   node hack/lib/sbom.ts PACKAGE-LOCK NODE-VERSION DPKG-STATUS <NPM-SBOM

import { readFileSync } from 'node:fs';

export interface Component {
  type: string;
  name: string;
  version: string;
  purl: string;
  [more: string]: unknown;
}

export interface Bom {
  metadata: { component: Component; [more: string]: unknown };
  components: Component[];
  dependencies: { ref: string; dependsOn?: string[] }[];
  [more: string]: unknown;
}

/** What counts of package-lock.json. */
export interface Lock {
  packages: Record<string, { version?: string; dev?: boolean }>;
}

/** What the image has besides our npm packages. `status`: the database of dpkg, one paragraph a package. */
export interface Base {
  node: string;
  status: string;
}

/**
 * `npm`: of all packages, those for development too. npm can leave them out itself, but then it leaves out as well what is
 * needed by both.
 */
export function billOfMaterials(npm: Bom, lock: Lock, { node, status }: Base): Bom {
  const { serialNumber: _, metadata, ...bom } = npm;
  const shipped = new Set(
    Object.entries(lock.packages)
      .filter(([, { dev }]) => dev !== true)
      .map(([path, { version }]) => `${path.split('node_modules/').at(-1)}@${version}`),
  );
  const components = bom.components.filter(({ name, version }) => shipped.has(`${name}@${version}`));
  const refs = new Set<unknown>([
    metadata.component['bom-ref'],
    ...components.map((component) => component['bom-ref']),
  ]);
  const dependencies = bom.dependencies
    .filter(({ ref }) => refs.has(ref))
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((other) => refs.has(other)) }));
  // The name that npm gives is that of the folder it ran in, and the time that of the run.
  const component = { ...metadata.component, type: 'application', name: 'flashsale' };
  const runtime = { type: 'platform', name: 'node', version: node, purl: `pkg:generic/node@${node}` };
  return {
    ...bom,
    metadata: { component },
    components: [...components, runtime, ...debianPackages(status)],
    dependencies,
  };
}

function debianPackages(status: string): Component[] {
  return status.split(/\n{2,}/).flatMap((paragraph) => {
    const field = (name: string) => new RegExp(`^${name}: (.+)$`, 'm').exec(paragraph)?.[1];
    const [name, version, architecture] = [field('Package'), field('Version'), field('Architecture')];
    if (name === undefined || version === undefined || !field('Status')?.endsWith(' installed')) return [];
    const purl = `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${architecture}`;
    return [{ type: 'library', name, version, purl }];
  });
}

if (import.meta.main) {
  const [lock = '', node = '', status = ''] = process.argv.slice(2);
  const npm = JSON.parse(readFileSync(0, 'utf8')) as Bom;
  const bom = billOfMaterials(npm, JSON.parse(readFileSync(lock, 'utf8')) as Lock, {
    node,
    status: readFileSync(status, 'utf8'),
  });
  console.log(JSON.stringify(bom, undefined, 2));
}
