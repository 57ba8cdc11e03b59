// The health check and the actions for Argo CD, on their own test data, which is in Argo CD's format: a real Lua 5.1
// without the libraries that Argo CD takes away.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { SCHEMA } from '../../../operator/api/schema.ts';
import { validate } from '../../../operator/api/validate.ts';
import { REASONS } from '../../../operator/reconcile/reasons.ts';
import { runLua } from '../../harness/lua.ts';

const FOLDER = join(
  import.meta.dirname,
  '../../../docs/examples/gitops/argocd/resource_customizations/flashsale.dev/FlashSale',
);
const read = (path: string) => readFileSync(join(FOLDER, path), 'utf8');
const object = (path: string) => parse(read(path)) as Record<string, unknown>;

interface HealthTest {
  inputPath: string;
  healthStatus: { status: string; message: string };
}
interface ActionTest {
  action: string;
  inputPath: string;
  expectedOutputPath?: string;
  expectedErrorMessage?: string;
  parameters?: Record<string, string>;
}
type Discovered = { name: string; disabled?: boolean };
interface ActionTests {
  discoveryTests: { inputPath: string; result: Discovered[] }[];
  actionTests: ActionTest[];
}

const { tests } = object('health_test.yaml') as unknown as { tests: HealthTest[] };
const { discoveryTests, actionTests } = object('actions/action_test.yaml') as unknown as ActionTests;

describe('health', () => {
  test.each(tests)('$inputPath is $healthStatus.status', async ({ inputPath, healthStatus }) => {
    expect(await runLua(read('health.lua'), { obj: object(inputPath) })).toEqual({ value: healthStatus });
  });

  test('nothing is said of an object that only exists', async () => {
    const obj = { metadata: {}, spec: {} };
    expect(await runLua(read('health.lua'), { obj })).toMatchObject({ value: { status: 'Progressing' } });
  });
});

describe('the test data', () => {
  const folders = ['testdata', 'actions/testdata'];
  const objects = folders.flatMap((folder) => readdirSync(join(FOLDER, folder)).map((name) => `${folder}/${name}`));
  interface Condition {
    type: string;
    status: string;
    reason: string;
  }
  const conditions = objects.flatMap((path) => {
    const { status } = object(path) as { status?: { conditions?: Condition[] } };
    return status?.conditions ?? [];
  });

  test.each(objects)('%s is what the API server takes', (path) => {
    expect(validate(object(path))).toMatchObject({ ok: true });
  });

  test('is all used', () => {
    const used = [
      ...tests.map(({ inputPath }) => inputPath),
      ...discoveryTests.map(({ inputPath }) => `actions/${inputPath}`),
      ...actionTests.flatMap(({ inputPath, expectedOutputPath }) =>
        [inputPath, expectedOutputPath].flatMap((path) => (path === undefined ? [] : [`actions/${path}`])),
      ),
    ];
    expect(objects.filter((path) => !used.includes(path))).toEqual([]);
  });

  test('has every phase', () => {
    const phases = objects.map((path) => (object(path) as { status?: { phase?: string } }).status?.phase);
    expect(phases).toEqual(expect.arrayContaining(SCHEMA.properties?.status?.properties?.phase?.enum ?? ['none']));
  });

  test('has every reason of every condition, and none that there is not', () => {
    const known = Object.entries(REASONS).flatMap(([type, statuses]) =>
      Object.entries(statuses).flatMap(([status, reasons]) =>
        Object.keys(reasons).map((reason) => `${type}=${status} ${reason}`),
      ),
    );
    const shown = new Set(conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`));
    expect([...shown].sort()).toEqual(known.sort());
  });
});

describe('actions', () => {
  test.each(discoveryTests)('of $inputPath', async ({ inputPath, result }) => {
    const found = await runLua(read('actions/discovery.lua'), { obj: object(`actions/${inputPath}`) });
    // Absent is false to Argo CD.
    const shown = (action: Discovered) => ({ ...action, disabled: action.disabled ?? false });
    const { value } = found as { value: Record<string, Omit<Discovered, 'name'>> };
    expect(Object.entries(value).map(([name, action]) => shown({ name, ...action }))).toEqual(
      expect.arrayContaining(result.map(shown)),
    );
    expect(Object.keys(value)).toHaveLength(result.length);
  });

  test.each(actionTests)('$action on $inputPath, $parameters', async (actionTest) => {
    const { action, inputPath, expectedOutputPath, expectedErrorMessage, parameters } = actionTest;
    const outcome = await runLua(read(`actions/${action}/action.lua`), {
      obj: object(`actions/${inputPath}`),
      actionParams: parameters ?? {},
    });
    expect(outcome).toEqual(
      expectedOutputPath === undefined
        ? { error: expectedErrorMessage }
        : { value: object(`actions/${expectedOutputPath}`) },
    );
  });

  test('each one offered has a script, and each script is offered', async () => {
    const offered = await runLua(read('actions/discovery.lua'), { obj: object('actions/testdata/new.yaml') });
    const scripts = readdirSync(join(FOLDER, 'actions'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== 'testdata')
      .map(({ name }) => name);
    expect(Object.keys((offered as { value: object }).value).sort()).toEqual(scripts.sort());
  });
});
