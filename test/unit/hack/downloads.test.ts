// Nothing that the scripts download is run or built before it has been compared with a checksum that this repository holds.

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..', '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const pins = (file: string) => read(`hack/lib/pins/${file}`);

/** Scripts and recipes: all of hack/ and .ci/ but programs of ours in TypeScript, which download nothing themselves. */
const scripts = globSync('{hack,.ci}/**/*', { cwd: root, withFileTypes: true })
  .filter((entry) => entry.isFile() && !/\.(?:ts|go|sum|mod|json|txt|sha256|yaml)$/.test(entry.name))
  .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));

/** A command with the lines that it goes on for; comments and messages are no commands. */
const commandsOf = (text: string): string[] =>
  text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => !/^\s*(?:#|echo|fail|printf)/.test(line));

/** What may download, and what makes it safe: an option that has the tool compare checksums, or nothing. */
const DOWNLOADS: { what: RegExp; safe?: RegExp; how: string }[] = [
  { what: /\bnpm\b.* (?:ci)\b/, safe: /--ignore-scripts\b/, how: 'npm ci --ignore-scripts' },
  {
    what: /\bnpm\b.* (?:i|install|exec|add)\b/,
    safe: /--package-lock-only\b.*--ignore-scripts\b/,
    how: 'npm ci with a lock file',
  },
  { what: /\bnpx\b/, how: 'a program of node_modules' },
  { what: /\bpip\w*"? install\b/, safe: /--require-hashes\b/, how: 'pip install --require-hashes' },
  { what: /\bgo\b.* build\b/, safe: /-mod=readonly\b/, how: 'go build -mod=readonly with a go.sum' },
  { what: /\bgo (?:install|get|run)\b/, how: 'go build -mod=readonly with a go.sum' },
  { what: /\bmvn -/, safe: /--strict-checksums\b/, how: 'mvn --strict-checksums, and sha256sum --check after it' },
  { what: /\b(?:curl|wget|git clone)\b/, how: 'a package of a registry, by its checksum' },
];

/** Only what makes the list of hashes comes without one; nothing that is made by it runs. */
const WRITES_HASHES = /pip" install --quiet pip-tools$/;

const unsafe = (text: string): string[] =>
  commandsOf(text).flatMap((command) =>
    DOWNLOADS.filter(
      ({ what, safe }) => what.test(command) && !safe?.test(command) && !WRITES_HASHES.test(command),
    ).map(({ how }) => `${command.trim()} → ${how}`),
  );

test('no script downloads anything without a checksum', () => {
  expect(scripts).toEqual(expect.arrayContaining(['.ci/run', 'hack/lib/node.sh', 'hack/image/Containerfile']));
  expect(scripts.flatMap((file) => unsafe(read(file)).map((found) => `${file}: ${found}`))).toEqual([]);
});

describe('refused is', () => {
  test.each([
    'npm install left-pad',
    'step "Installing" npm install --prefix "$new" --ignore-scripts "node@24"',
    'RUN npm ci --omit=dev',
    'npx some-program',
    '"$home/bin/pip" install --quiet schemathesis',
    'go -C "$new" build -mod=mod',
    'go install example.com/x@latest',
    'mvn --batch-mode dependency:copy-dependencies',
    'curl -fsSL "$url" \\\n  | tar x',
  ])('%s', (command) => expect(unsafe(command)).toHaveLength(1));

  test('but not what is compared, a comment, or a message', () => {
    const fine =
      'npm ci --prefix x --ignore-scripts\n# curl this\nfail "use curl"\n"$h/pip" install \\\n --require-hashes -r y';
    expect(unsafe(fine)).toEqual([]);
  });
});

interface Lock {
  packages: Record<string, { version: string; integrity?: string; hasInstallScript?: boolean }>;
}
const lockOf = (text: string) => Object.entries((JSON.parse(text) as Lock).packages).filter(([name]) => name !== '');
/** The value of a variable of the scripts. */
const variable = (name: string): string => {
  const text = ['node', 'servers', 'kubernetes'].map((file) => read(`hack/lib/${file}.sh`)).join('\n');
  return new RegExp(`^${name}=(\\S+)$`, 'm').exec(text)?.[1] ?? '';
};

describe('there is a checksum for', () => {
  test.each([
    'package-lock.json',
    'hack/lib/pins/node/package-lock.json',
    'hack/lib/pins/postgres-18/package-lock.json',
  ])('every package of %s', (file) => {
    const without = lockOf(read(file)).filter(([, { integrity = '' }]) => !integrity.startsWith('sha512-'));
    expect(without.map(([name]) => name)).toEqual([]);
  });

  test('the versions that the scripts name', () => {
    const versions = (folder: string) =>
      new Set(lockOf(pins(`${folder}/package-lock.json`)).map(([, { version }]) => version));
    expect([...versions('node')]).toEqual([variable('node_pinned')]);
    expect([...versions('postgres-18')]).toEqual([variable('postgres_18_version')]);
    expect(pins('schemathesis.txt')).toContain(
      `\nschemathesis==${variable('schemathesis_version')} \\\n    --hash=sha256:`,
    );
  });

  test.each([
    ['etcd', 'go.etcd.io/etcd/server/v3'],
    ['kubernetes', 'k8s.io/kubernetes'],
    ['containerd', 'github.com/containerd/containerd/v2'],
    ['coredns', 'github.com/coredns/coredns'],
    ['helm', 'helm.sh/helm/v4'],
    ['kind', 'sigs.k8s.io/kind'],
  ])('%s, and it is that of the version which is built', (name, module) => {
    const version = `${module} v${variable(`${name}_version`)}`;
    expect(pins(`go/${name}/go.mod`)).toContain(version);
    expect(pins(`go/${name}/go.sum`)).toMatch(new RegExp(`^${RegExp.escape(version)} h1:\\S{44}$`, 'm'));
  });

  test('every Python package', () => {
    const packages = pins('schemathesis.txt').split(/\n(?=\S)/);
    expect(packages.length).toBeGreaterThan(20);
    expect(packages.filter((text) => !/^[\w.-]+==\S+ (?:;.* )?\\\n {4}--hash=sha256:[0-9a-f]{64}/.test(text))).toEqual(
      [],
    );
  });

  test('Kafka’s jars, and they are compared before they are used', () => {
    const kafka = variable('kafka_version');
    const jars = pins('kafka.sha256').trimEnd().split('\n');
    expect(jars.filter((line) => !/^[0-9a-f]{64} {2}[\w.-]+\.jar$/.test(line))).toEqual([]);
    expect(jars.map((line) => line.slice(66))).toEqual(
      expect.arrayContaining([`kafka_2.13-${kafka}.jar`, `kafka-tools-${kafka}.jar`]),
    );
    const install = /^kafka_install\(\) \{\n[^}]*\n\}/m.exec(read('hack/lib/servers.sh'))?.[0] ?? '';
    expect(install.indexOf('kafka_is_pinned')).toBeGreaterThan(install.indexOf('fetch_kafka'));
    expect(install.indexOf('kafka_is_pinned')).toBeLessThan(install.indexOf('/complete'));
  });
});

test('no npm package of ours has a script that would have to run', () => {
  const scripted = lockOf(read('package-lock.json')).filter(([, { hasInstallScript }]) => hasInstallScript === true);
  expect(scripted.map(([name]) => name)).toEqual([]);
});
