// The bill of materials names everything that the image holds, and nothing of the machine that wrote it.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Bom, billOfMaterials, type Lock } from '../../../hack/lib/sbom.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const options = ['--package-lock-only', '--sbom-format=cyclonedx', '--sbom-type=application'];
const npm = JSON.parse(execFileSync('npm', ['--prefix', root, 'sbom', ...options], { encoding: 'utf8' })) as Bom;

const STATUS = `Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.36-9+deb12u13
Description: GNU C Library
 Package: not a field

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1

`;
const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock;
const bom = billOfMaterials(npm, lock, { node: '24.21.0', status: STATUS });

test('exactly the npm packages that are not for development only are named, with their checksums', () => {
  const wanted = Object.entries(lock.packages)
    .filter(([path, { dev }]) => path !== '' && dev !== true)
    .map(([path, { version }]) => `${path.split('node_modules/').at(-1)}@${version}`);
  expect(wanted).toEqual(expect.arrayContaining([expect.stringMatching(/^pg-protocol@/)]));
  const ours = bom.components.filter(({ purl }) => purl.startsWith('pkg:npm/'));
  expect(new Set(ours.map(({ name, version }) => `${name}@${version}`))).toEqual(new Set(wanted));
  expect(ours.filter(({ hashes }) => hashes === undefined)).toEqual([]);
});

test('what depends on what leads to packages that are named', () => {
  const refs = new Set(bom.components.map((component) => component['bom-ref']));
  const pg = bom.dependencies.find(({ ref }) => ref.startsWith('pg@'));
  expect(pg?.dependsOn).toEqual(expect.arrayContaining([expect.stringMatching(/^pg-protocol@/)]));
  expect(bom.dependencies.flatMap(({ dependsOn = [] }) => dependsOn).filter((ref) => !refs.has(ref))).toEqual([]);
});

test('Node and Debian’s installed packages are named', () => {
  expect(bom.components.filter(({ purl }) => !purl.startsWith('pkg:npm/'))).toEqual([
    { type: 'platform', name: 'node', version: '24.21.0', purl: 'pkg:generic/node@24.21.0' },
    {
      type: 'library',
      name: 'libc6',
      version: '2.36-9+deb12u13',
      purl: 'pkg:deb/debian/libc6@2.36-9%2Bdeb12u13?arch=amd64',
    },
  ]);
});

test('it says of itself what it is of, and nothing of the machine or the time', () => {
  expect(bom.metadata).toEqual({ component: expect.objectContaining({ type: 'application', name: 'flashsale' }) });
  expect(bom).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.5' });
  expect(bom).not.toHaveProperty('serialNumber');
  expect(JSON.stringify(bom)).not.toContain(root);
});
