import { describe, expect, test } from 'vitest';
import { decide, modeOf, type Reading } from '../../../dataplane/cache-agent/decide.ts';
import type { NodeState } from '../../../dataplane/stores/cache-node/cache-node.ts';
import type { RegistryView } from '../../../dataplane/stores/registry/registry.ts';

const view: RegistryView = {
  incarnation: 'i1',
  generation: 1,
  target: 10,
  supplied: 10,
  owed: 0,
  layout: 3,
  count: 2,
  wantedCount: 2,
  resize: 'none',
  resizingTo: null,
  term: 0,
  paused: false,
  nodes: [{ id: 'c0', epoch: 4, granted: 5, revoked: 0, reachable: true }],
  shards: [],
};

const state: NodeState = {
  identity: { incarnation: 'i1', node: 'c0', epoch: 4, layout: 3, count: 2, paused: false },
  virtual: 5,
  granted: 5,
  revoked: 0,
  issued: 0,
  closing: 0,
  liveTokens: 0,
  liveUnits: 0,
  pinned: {},
  settledUnits: 0,
  returnedUnits: 0,
  orderedBefore: 0,
  draining: false,
  sequence: 5,
};

const fit: Reading = {
  self: 'c0',
  durability: 'Always',
  view,
  server: { run: 'r1', recoveredIn: 'r1', users: 'all' },
  state,
};
const withIdentity = (patch: Partial<NodeState['identity']>): NodeState => ({
  ...state,
  identity: { ...state.identity, ...patch },
});
const restarted = { run: 'r2', recoveredIn: 'r1', users: 'none' as const };

describe('what the agent does about its node', () => {
  test('a node whose identity equals the registry serves', () =>
    expect(decide(fit)).toEqual({ do: 'serve', mode: 'selling', reason: 'fit' }));

  test.each<[string, Partial<Reading>, string, string]>([
    ['R32: a new node, or one that lost its data', { state: undefined }, 'recover', 'no-identity'],
    [
      'R32: a node whose identity is older than the registry',
      { state: withIdentity({ epoch: 3 }) },
      'recover',
      'old-epoch',
    ],
    [
      'a node of another life of the sale',
      { state: withIdentity({ incarnation: 'i0' }) },
      'recover',
      'other-incarnation',
    ],
    ['a node with the data of another one', { state: withIdentity({ node: 'c1' }) }, 'recover', 'other-node'],
    [
      'R33: a node that has not taken the newest layout',
      { state: withIdentity({ layout: 2 }) },
      'recover',
      'old-layout',
    ],
    ['a node that drains for nothing', { state: { ...state, draining: true } }, 'recover', 'stray-draining'],
    ['R32: EverySecond, after a restart', { durability: 'EverySecond', server: restarted }, 'recover', 'restarted'],
    ['an identity ahead of the reading', { state: withIdentity({ epoch: 5 }) }, 'keep-off', 'epoch-ahead'],
    [
      'a node the registry does not know',
      { self: 'c9', state: withIdentity({ node: 'c9' }) },
      'keep-off',
      'not-registered',
    ],
    ['no layout yet', { view: { ...view, count: 0 } }, 'keep-off', 'not-registered'],
    ['a node without an identity and no registry', { view: undefined, state: undefined }, 'keep-off', 'no-identity'],
    [
      'EverySecond, restarted, and no registry',
      { view: undefined, durability: 'EverySecond', server: restarted },
      'keep-off',
      'restarted',
    ],
    ['a node with an identity and no registry: nobody can say', { view: undefined }, 'leave', 'no-registry'],
  ])('%s → %s', (_, patch, action, reason) => expect(decide({ ...fit, ...patch })).toEqual({ do: action, reason }));

  test('R32: Always, after a restart: the file holds every answered write, so the identity decides', () =>
    expect(decide({ ...fit, server: restarted })).toMatchObject({ do: 'serve' }));

  test.each<[Partial<RegistryView>, string]>([
    [{}, 'selling'],
    [{ paused: true }, 'paused'],
    [{ resize: 'draining' }, 'draining'],
    [{ resize: 'draining', paused: true }, 'draining'],
    [{ resize: 'rebuilding' }, 'selling'],
    [{ resize: 'rebuilding', paused: true }, 'paused'],
  ])('R33: with %o purchases are %s', (patch, mode) => expect(modeOf({ ...view, ...patch })).toBe(mode));

  test('R33: a node that drains as the registry says goes on serving what is not a purchase', () =>
    expect(decide({ ...fit, state: { ...state, draining: true }, view: { ...view, resize: 'draining' } })).toEqual({
      do: 'serve',
      mode: 'draining',
      reason: 'fit',
    }));
});
