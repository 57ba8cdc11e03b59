// What to do now: from the table to commands. Pure: the table, the policy, the time and what was remembered come in,
// commands and what to remember come out; the same input always gives the same plan.
//
// The order says what matters: repeat what was not answered, cover what buyers were promised, gather what a lowered
// supply is owed, allocate what the pool may give, and only then spread the rest by the rule. Stock in flight, by the
// shards' own totals or by an unanswered command, counts as its destination's: the same table asked twice gives
// nothing new.
//
// A stock holder (a shard or the pool) takes part once it has carried out a command of this balancer's term: its report
// is then fresh, and no command of an earlier balancer can still move its stock. The first command to each is therefore
// an empty one, the term handshake.

import type { Command } from '../../dataplane/protocol/messages.ts';
import type { ResourceTable } from '../../dataplane/protocol/table.ts';
import type { Millis, StockHolderId } from '../../dataplane/protocol/units.ts';
import { allocate } from './allocate.ts';
import { cover } from './cover.ts';
import { type Cycle, cycleOf, type Measures, measure, nothingMeasured } from './cycle.ts';
import { Draft, type Reason } from './draft.ts';
import { gatherOwed } from './owed.ts';
import { answered, due, issue, overdue, type Pending, type Pendings, repeat } from './pending.ts';
import type { Rule } from './rules/rule.ts';
import { apportion } from './shares.ts';
import { noticeMisses, type Wants } from './shortage.ts';
import { spread, unpromised } from './spread.ts';

/** What a plan is made by; an edit of the sale can change it. */
export interface Policy {
  rule: Rule;
  /** The time between two plans of a rule with the cadence `cycle`; absent: the length of the cycle (R21). */
  period?: Millis;
  /** The k and the m of the balance cycle, as configured; they count until there are measurements. */
  shardTime: Millis;
  delay: Millis;
  /** The stock holders that should report: the pool and all configured shards. */
  expected: readonly StockHolderId[];
}

/** What the balancer remembers from one plan to the next. It is lost with the process, and costs nothing then. */
export interface Memory {
  /** The balancer's term, from the registry. Holders refuse commands of a lower one than they have seen. */
  readonly term: number;
  /** The sequence number of the newest command within the term. */
  readonly sequence: number;
  /** How many holders took part at most, since when nobody new came, and whether planning has begun. */
  readonly joined: { holders: number; since: Millis; begun: boolean };
  /** When the rule last made a plan. */
  readonly ruleAt: Millis;
  /** Commands that are not answered yet, by their source. */
  readonly pending: Pendings;
  /** Where checkouts found too little stock. */
  readonly wants: Wants;
  /** How long commands and transfers take. */
  readonly measures: Measures;
  /** What the rule remembers, and which rule that was. */
  readonly rule: { name: string; memory: unknown } | undefined;
}

export interface Decision {
  /** Commands to publish now, new ones and repeated ones. */
  commands: Command[];
  memory: Memory;
  /** True: a balancer with a higher term is at work, and this one's commands are refused. */
  superseded: boolean;
  cycle: Cycle;
  /** Newly planned units, by reason. */
  moved: Draft['moved'];
  /** How many of the commands are repeats. */
  repeats: number;
}

/** A holder that has not reported for so long is left out: stock sent to it would be out of reach. */
export const SILENT: Millis = 5000;
/** How long a starting balancer waits for one more holder, before it plans with those who answered. */
export const SETTLE: Millis = 3000;

/** The memory of a balancer that has just been given its term. */
export const startMemory = (term: number, now: Millis): Memory => ({
  term,
  sequence: 0,
  joined: { holders: 0, since: now, begun: false },
  ruleAt: Number.NEGATIVE_INFINITY,
  pending: new Map(),
  wants: new Map(),
  measures: nothingMeasured,
  rule: undefined,
});

export function decide(table: ResourceTable, policy: Policy, now: Millis, before: Memory): Decision {
  const holders = stockHoldersOf(table);
  const superseded = holders.some((holder) => table.executed(holder).term > before.term);
  const open: Pending[] = [];
  const done: Pending[] = [];
  for (const pending of before.pending.values()) (answered(pending, table) ? done : open).push(pending);
  const measures = measure(before.measures, done, table, now);
  const wants = noticeMisses(table.shards(), now, before.wants);
  const cycle = cycleOf(measures, table.shards().length, policy.shardTime, policy.delay);
  const pending = new Map(open.map((entry) => [entry.command.source, entry]));
  const memory: Memory = { ...before, pending, wants, measures };
  const none: Decision = { commands: [], memory, superseded, cycle, moved: noMoves(), repeats: 0 };
  if (superseded) return none;

  const plan = makePlan(table, policy, now, memory, cycle);
  const commands: Command[] = [];
  let sequence = before.sequence;
  for (const [source, legs] of plan.legs) {
    const former = pending.get(source)?.command.sequence;
    const command: Command = {
      incarnation: table.incarnation,
      term: before.term,
      sequence: former ?? ++sequence,
      source,
      legs,
    };
    pending.set(source, issue(command, now));
    commands.push(command);
  }
  const repeated = [...pending.values()].filter((entry) => due(entry, now)).map((entry) => repeat(entry, now));
  for (const entry of repeated) pending.set(entry.command.source, entry);
  commands.push(...repeated.map((entry) => entry.command));
  return {
    commands,
    memory: { ...memory, ...plan.remember, sequence, pending },
    superseded,
    cycle,
    moved: plan.moved,
    repeats: repeated.length,
  };
}

interface Plan {
  legs: Map<StockHolderId, Command['legs']>;
  moved: Draft['moved'];
  remember: Pick<Memory, 'joined' | 'ruleAt' | 'rule'>;
}

function makePlan(table: ResourceTable, policy: Policy, now: Millis, memory: Memory, cycle: Cycle): Plan {
  const { pending, wants, ruleAt, rule } = memory;
  const holders = stockHoldersOf(table);
  const fenced = (holder: StockHolderId) => table.executed(holder).term === memory.term;
  const handshakes = holders.filter((holder) => !fenced(holder) && !pending.has(holder));
  const legs = new Map<StockHolderId, Command['legs']>(handshakes.map((holder) => [holder, []]));

  const present = new Set(holders.filter((holder) => fenced(holder) && now - (table.heardAt(holder) ?? 0) < SILENT));
  const joined = join(memory.joined, present, policy.expected, now);
  // Every transfer passes through the pool: without it, stock would leave its shard and arrive nowhere.
  if (!joined.begun || !present.has('pool')) return { legs, moved: noMoves(), remember: { joined, ruleAt, rule } };

  const outstanding = [...pending.values()].filter((entry) => !overdue(entry, now)).map((entry) => entry.command);
  const draft = new Draft(table, present, outstanding, (shard) => wants.get(shard)?.units ?? 0);
  cover(draft);
  gatherOwed(draft);
  allocate(draft);
  const ready = policy.rule.cadence === 'event' || now - ruleAt >= (policy.period ?? cycle.length);
  const remember = ready
    ? { joined, ruleAt: now, rule: spreadByRule(table, draft, policy.rule, now, rule) }
    : { joined, ruleAt, rule };
  for (const [source, planned] of draft.legs()) legs.set(source, planned);
  return { legs, moved: draft.moved, remember };
}

/** Decides whether planning begins: when every expected holder is there, or nobody new came for a while. So early stock goes to all alike. */
function join(
  last: Memory['joined'],
  present: ReadonlySet<StockHolderId>,
  expected: readonly StockHolderId[],
  now: Millis,
) {
  const since = present.size > last.holders ? now : last.since;
  const begun = last.begun || expected.every((holder) => present.has(holder)) || now - since >= SETTLE;
  return { holders: Math.max(last.holders, present.size), since, begun };
}

/** Moves stock as the rule wants it. Returns what the rule wants to remember. A rule that was just chosen starts without memories. */
function spreadByRule(table: ResourceTable, draft: Draft, rule: Rule, now: Millis, last: Memory['rule']) {
  const capacities = apportion(
    table.pool()?.supplied ?? 0,
    draft.shards.map(() => 1),
  );
  const standings = draft.shards.map((place, i) => {
    const { sold = 0, missed = 0 } = table.shard(place.holder) ?? {};
    return { shard: place.holder, stock: unpromised(place), capacity: capacities[i] ?? 0, sold, missed };
  });
  const { aims, memory } = rule.aims(standings, now, last?.name === rule.name ? last.memory : rule.start);
  spread(draft, aims);
  return { name: rule.name, memory };
}

function stockHoldersOf(table: ResourceTable): StockHolderId[] {
  const shards = table.shards().map((view) => view.shard);
  return table.pool() ? ['pool', ...shards] : shards;
}

const noMoves = (): Record<Reason, number> => ({ shortage: 0, cover: 0, owed: 0, allocate: 0, spread: 0 });
