// What applyWanted says of itself, without a server: secrets stay secret, strangers' objects stay theirs.

import { describe, expect, test } from 'vitest';
import { APPLIED, applyWanted, createWanted } from '../../../operator/kube/apply.ts';
import { KubeError } from '../../../operator/kube/errors.ts';
import type { KubeObject } from '../../../operator/kube/objects.ts';

const object = (fields: object, kind = 'ConfigMap'): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name: 'a', namespace: 'shop' },
  ...fields,
});

/** Keeps what was applied, as a version of its own each time; with `conflicts`, only by force. */
function server(conflicts: { manager: string; field: string }[] = []) {
  const applies: { object: KubeObject; force: boolean }[] = [];
  const patches: unknown[] = [];
  return {
    applies,
    patches,
    get: async () => undefined,
    create: async (sent: KubeObject) => sent,
    patch: async (_resource: unknown, _namespace: string, _name: string, sent: unknown) => {
      patches.push(sent);
      return {} as KubeObject;
    },
    apply: async (sent: KubeObject, { force = false } = {}) => {
      applies.push({ object: sent, force });
      if (conflicts.length > 0 && !force) throw new KubeError('x', 409, 'Conflict', { conflicts });
      return { ...sent, metadata: { ...sent.metadata, resourceVersion: String(applies.length) } };
    },
  };
}

/** As the server would hold it after an apply of it. */
async function applied(wanted: KubeObject): Promise<KubeObject> {
  const { applies, ...client } = server();
  await applyWanted(client, wanted, object({}));
  const made = applies[0]?.object as KubeObject;
  return { ...made, metadata: { ...made.metadata, resourceVersion: 'before' } };
}

describe('nothing is written', () => {
  test('when it is as wanted, whatever the order of its fields', async () => {
    const { applies, ...client } = server();
    const found = await applied(object({ data: { a: '1', b: '2' } }));
    expect(await applyWanted(client, object({ data: { b: '2', a: '1' } }), found)).toEqual({ did: 'nothing' });
    expect(applies).toEqual([]);
  });

  test('to an object that is being deleted', async () => {
    const { applies, ...client } = server();
    const found = await applied(object({ data: { a: '1' } }));
    const dying = { ...found, metadata: { ...found.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
    expect(await applyWanted(client, object({ data: { a: '2' } }), dying)).toEqual({ did: 'nothing' });
    expect(applies).toEqual([]);
  });

  test('for the text of a secret that is there as bytes', async () => {
    const { applies, ...client } = server();
    const wanted = object({ stringData: { password: 'x' } }, 'Secret');
    const found = await applied(wanted);
    expect(found.data).toEqual({ password: 'eA==' });
    expect(await applyWanted(client, wanted, found)).toEqual({ did: 'nothing' });
    expect(applies).toEqual([]);
  });
});

describe('what made it necessary', () => {
  test('is the first difference', async () => {
    const found = { ...(await applied(object({ data: { a: '1' } }))), data: { a: 'by hand' } };
    expect(await applyWanted(server(), object({ data: { a: '1' } }), found)).toEqual({
      did: 'changed',
      why: { path: 'data.a', wanted: '1', found: 'by hand' },
    });
  });

  test('is a field that is not wanted any more', async () => {
    const found = await applied(object({ data: { a: '1', b: '2' } }));
    expect(await applyWanted(server(), object({ data: { a: '1' } }), found)).toEqual({
      did: 'changed',
      why: { path: 'data.b', wanted: undefined, found: '2' },
    });
  });

  test('names of a secret only the place', async () => {
    const found = { ...(await applied(object({ data: { a: 'c2VjcmV0' } }, 'Secret'))), data: { a: 'b3RoZXI=' } };
    const result = await applyWanted(server(), object({ data: { a: 'c2VjcmV0' } }, 'Secret'), found);
    expect(result.why).toEqual({ path: 'data.a', wanted: '(hidden)', found: '(hidden)' });
  });
});

describe('what somebody else set', () => {
  const conflicts = [{ manager: 'kubectl-edit', field: '.data.a' }];

  test('is taken back by force, and said', async () => {
    const { applies, ...client } = server(conflicts);
    const found = { ...(await applied(object({ data: { a: '1' } }))), data: { a: 'by hand' } };
    const result = await applyWanted(client, object({ data: { a: '1' } }), found);
    expect(result).toMatchObject({ did: 'changed', taken: conflicts });
    expect(applies.map(({ force }) => force)).toEqual([false, true]);
  });

  test('is never written over by a create, which is no apply', async () => {
    const { applies, ...client } = server(conflicts);
    const create = async () => {
      throw new KubeError('x', 409, 'AlreadyExists');
    };
    await expect(createWanted({ ...client, create }, object({ data: {} }))).rejects.toMatchObject({ status: 409 });
    expect(applies).toEqual([]);
    expect(client.patches).toEqual([]);
  });

  test('is not touched when it came under a name that was ours: an edit names the uid', async () => {
    const { applies, ...client } = server();
    const found = await applied(object({ data: { a: '1' } }));
    await applyWanted(client, object({ data: { a: '2' } }), { ...found, metadata: { ...found.metadata, uid: 'u1' } });
    expect(applies[0]?.object.metadata.uid).toBe('u1');
  });
});

test('the annotation changes with what is wanted, and only with that', async () => {
  const stampOf = async (wanted: KubeObject) => (await applied(wanted)).metadata.annotations?.[APPLIED];
  const identity = await stampOf(object({ data: { a: '1' } }));
  expect(await stampOf(object({ data: { a: '1' } }))).toBe(identity);
  expect(await stampOf(object({ data: { a: '2' } }))).not.toBe(identity);
});
