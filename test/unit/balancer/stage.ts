// A sale's shards and pool in miniature, for tests of plans: they carry commands out as real ones do (what they have,
// once, in order) and report. No faults and no time; the simulation has those.

import { type Command, type Delta, type Level, newer } from '../../../dataplane/protocol/messages.ts';
import { ResourceTable } from '../../../dataplane/protocol/table.ts';
import { type ShardId, type StockHolderId, shardId, type Units } from '../../../dataplane/protocol/units.ts';
import { type Memory, startMemory } from '../../../operator/balancer/decide.ts';
import { deltaOf } from '../../harness/delta.ts';

export const TERM = 7;

export const delta = (peer: StockHolderId, fields: Partial<Delta> = {}): Delta =>
  deltaOf(peer, { delta: fields.available ?? 0, ...fields });

export function level(node: `c${number}`, pinned: Level['pinned'], fields: Partial<Level> = {}): Level {
  return {
    incarnation: 'sale',
    node,
    epoch: 1,
    sequence: 1,
    layout: 1,
    paused: false,
    virtual: 0,
    liveTokens: 0,
    liveUnits: 0,
    pinned,
    granted: 0,
    revoked: 0,
    issued: 0,
    settledUnits: 0,
    returnedUnits: 0,
    ...fields,
  };
}

export interface Start {
  shards: readonly Units[];
  pool?: Units;
  owed?: Units;
  pinned?: readonly Units[];
}

export class Stage {
  readonly table = new ResourceTable('sale');
  readonly peers = new Map<StockHolderId, Delta>();
  /** Sent and not received yet. */
  flying: { destination: StockHolderId; units: Units }[] = [];
  #pinnedReports = 0;

  /** Everyone has carried out a first command of the term already, unless `fenced` is false. */
  constructor({ shards, pool = 0, owed = 0, pinned = [] }: Start, fenced = true) {
    const command = fenced ? { term: TERM, sequence: 0 } : { term: 0, sequence: 0 };
    const supplied = shards.reduce((sum, units) => sum + units, pool);
    this.peers.set(
      'pool',
      delta('pool', { available: pool, command, pool: { owed, allocatable: 0, supplied, target: supplied - owed } }),
    );
    shards.forEach((available, i) => {
      this.peers.set(shardId(i), delta(shardId(i), { available, command }));
    });
    this.pin(pinned);
    this.report(0);
  }

  get ids(): StockHolderId[] {
    return [...this.peers.keys()];
  }

  at(peer: StockHolderId): Delta {
    const found = this.peers.get(peer);
    if (!found) throw new Error(`no ${peer} here`);
    return found;
  }

  stocks(): Units[] {
    return this.ids.filter((id) => id !== 'pool').map((id) => this.at(id).available);
  }

  /** All stock there is, wherever it is. */
  total(): Units {
    const held = this.ids.reduce((sum, id) => sum + this.at(id).available, 0);
    return this.flying.reduce((sum, { units }) => sum + units, held);
  }

  change(peer: StockHolderId, fields: Partial<Delta>): void {
    const last = this.at(peer);
    const delta = (fields.available ?? last.available) - last.available;
    this.peers.set(peer, { ...last, ...fields, fromVersion: last.version, version: last.version + 1, delta });
  }

  pin(units: readonly Units[]): void {
    const pinned = Object.fromEntries(units.map((amount, i) => [shardId(i), amount])) as Record<ShardId, Units>;
    this.table.applyLevel(level('c0', pinned, { sequence: ++this.#pinnedReports }), 0);
  }

  execute(command: Command): void {
    const source = this.at(command.source);
    if (!newer(command, source.command)) return;
    let { available } = source;
    const sent = { ...source.sent };
    for (const { destination, units } of command.legs) {
      const given = Math.min(units, available);
      available -= given;
      sent[destination] = (sent[destination] ?? 0) + given;
      this.flying.push({ destination, units: given });
    }
    const { term, sequence } = command;
    this.change(command.source, { available, sent, command: { term, sequence } });
  }

  land(): void {
    for (const { destination, units } of this.flying.splice(0)) {
      const { available, received } = this.at(destination);
      this.change(destination, { available: available + units, received: received + units });
    }
  }

  report(now: number): void {
    for (const delta of this.peers.values()) this.table.applyDelta(delta, now);
  }
}

/** A memory of a balancer that has begun, and whose rule plans whenever it is asked after `now`. */
export const begunMemory = (now = 0): Memory => ({
  ...startMemory(TERM, now),
  joined: { holders: 0, since: now, begun: true },
});
