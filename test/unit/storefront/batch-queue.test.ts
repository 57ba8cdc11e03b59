import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BatchQueue } from '../../../dataplane/storefront/batch-queue.ts';

interface Item {
  group: number;
  number: number;
}

test('batches keep the order, never mix groups, never exceed their size, and lose nothing', () => {
  const step = fc.oneof(
    fc.record({ push: fc.integer({ min: 0, max: 2 }) }),
    fc.record({ take: fc.integer({ min: 1, max: 5 }), back: fc.boolean() }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queue = new BatchQueue<Item>((a, b) => a.group === b.group);
      let model: Item[] = [];
      let number = 0;
      for (const s of steps) {
        if ('push' in s) {
          const item = { group: s.push, number: number++ };
          queue.push(item);
          model = [...model, item];
          continue;
        }
        const end = model.findIndex((item) => item.group !== model[0]?.group);
        const expected = model.slice(0, Math.min(s.take, end < 0 ? model.length : end));
        const batch = queue.take(s.take);
        expect(batch).toEqual(expected);
        if (s.back) queue.putBack(batch);
        else model = model.slice(batch.length);
        expect(queue.length).toBe(model.length);
      }
    }),
  );
});
