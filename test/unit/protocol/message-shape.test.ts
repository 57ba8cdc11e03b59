// What is a message of a topic, and what is not.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { misfit } from '../../../dataplane/protocol/message-shape.ts';
import { TOPICS } from '../../../dataplane/protocol/messages.ts';
import { ResourceTable } from '../../../dataplane/protocol/table.ts';
import { decide, startMemory } from '../../../operator/balancer/decide.ts';
import { policyOf } from '../../../operator/balancer/policy.ts';
import { anyMessage, MESSAGES } from '../../harness/messages.ts';

/** Fields that may be absent. */
const OPTIONAL = ['pool'];
const readTopics = TOPICS.filter((topic) => topic !== 'orders');

describe('a message fits its topic', () => {
  test('when it is one that a role can send', () => {
    fc.assert(
      fc.property(anyMessage, ({ topic, key, value }) => {
        expect(misfit(topic, key, value)).toBeUndefined();
        // Also as it comes out of Kafka.
        expect(misfit(topic, key, JSON.parse(JSON.stringify(value)))).toBeUndefined();
      }),
    );
  });

  test('not when any one of its fields is gone', () => {
    fc.assert(
      fc.property(anyMessage, fc.nat(), ({ topic, key, value }, pick) => {
        const names = Object.keys(value).filter((name) => !OPTIONAL.includes(name));
        const gone = names[pick % names.length] ?? '';
        const { [gone]: _, ...rest } = value as Record<string, unknown>;
        expect(misfit(topic, key, rest)).toBe(gone);
      }),
    );
  });

  test('not when any one of its fields is of no type that JSON numbers, names and objects have there', () => {
    const wrong = fc.constantFrom<unknown>(null, -1.5, 0.5, 2 ** 53, -(2 ** 53), '', 'x'.repeat(200), [1], [null]);
    fc.assert(
      fc.property(anyMessage, fc.nat(), wrong, ({ topic, key, value }, pick, other) => {
        const names = Object.keys(value);
        const name = names[pick % names.length] ?? '';
        expect(misfit(topic, key, { ...value, [name]: other })).toBe(name);
      }),
    );
  });

  test.each([
    ['deltas', { available: -1 }],
    ['deltas', { version: 3, fromVersion: 4 }],
    ['deltas', { sent: { nobody: 1 } }],
    ['deltas', { sent: { s0: -1 } }],
    ['deltas', { command: { term: 1 } }],
    ['deltas', { peer: 's0', pool: { owed: 0, allocatable: 0, supplied: 0, target: 0 } }],
    ['levels', { pinned: { pool: 1 } }],
    ['levels', { pinned: undefined }],
    ['levels', { paused: 1 }],
    ['levels', { node: 'c01' }],
    ['transfers', { units: 0 }],
    ['transfers', { version: 3, previous: 3 }],
    ['transfers', { from: 's0', to: 's1', destination: 's1' }],
    ['transfers', { from: 'pool', to: 's1', destination: 's2' }],
    ['commands', { legs: [{ destination: 's0', units: 0 }] }],
    ['commands', { legs: [{ destination: 's0' }] }],
    ['commands', { source: 'everybody' }],
  ] as const)('not on %s with %j', (topic, wrong) => {
    fc.assert(
      fc.property(MESSAGES[topic] as typeof anyMessage, ({ value }) => {
        const message = { ...value, ...wrong } as Record<string, unknown>;
        const key = String(message.peer ?? message.node ?? message.to ?? message.source);
        expect(misfit(topic, key, message)).toBeDefined();
      }),
    );
  });

  test('not under another key, where a compacted topic would keep it in place of the real one', () => {
    fc.assert(
      fc.property(anyMessage, ({ topic, key, value }) => {
        expect(misfit(topic, `${key}0`, value)).toBe('key');
      }),
    );
  });

  test('and it is said of everything, whatever it is, without an error', () => {
    fc.assert(
      fc.property(fc.constantFrom(...readTopics), fc.string(), fc.anything(), (topic, key, value) => {
        expect(misfit(topic, key, value)).toBeDefined();
      }),
    );
  });
});

test('whatever fits can be put into a table, and be planned and routed from', () => {
  const policy = policyOf({
    balancer: { rule: 'Average', deadBand: 0.1, summaryPeriod: 100, shardTime: 30, delay: 20 },
    shards: [0, 1, 2].map((n) => ({ id: `s${n}` as const, host: 'here', port: 1, database: `s${n}` })),
  });
  const reports = fc.array(fc.oneof(MESSAGES.deltas, MESSAGES.levels), { maxLength: 20 });
  fc.assert(
    fc.property(reports, fc.maxSafeNat(), (messages, term) => {
      const table = new ResourceTable('sale');
      let memory = startMemory(term, 0);
      messages.forEach(({ topic, value }, now) => {
        if (topic === 'deltas') table.applyDelta(value, now);
        else table.applyLevel(value, now);
        memory = decide(table, policy, now * 4000, memory).memory;
        for (const { available, pinned } of table.shards()) expect(available - pinned).not.toBeNaN();
      });
    }),
  );
});
