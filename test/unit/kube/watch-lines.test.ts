// A watch is read line by line, however it is cut into pieces on its way.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isGone } from '../../../operator/kube/errors.ts';
import { eventOf, splitLines } from '../../../operator/kube/watch-lines.ts';

test('lines come out whole, wherever the text was cut', () => {
  const line = fc
    .string({ unit: 'grapheme', minLength: 1 })
    .filter((text) => !text.includes('\n') && text.trim() !== '');
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.nat({ max: 40 })), (lines, cuts) => {
      let text = lines.map((text) => `${text}\n`).join('');
      const pieces = [];
      for (const cut of cuts) {
        pieces.push(text.slice(0, cut));
        text = text.slice(cut);
      }
      let begun = '';
      const out = [...pieces, text].flatMap((piece) => {
        const split = splitLines(begun, piece);
        begun = split.begun;
        return split.lines;
      });
      expect(out).toEqual(lines);
      expect(begun).toBe('');
    }),
  );
});

describe('a line', () => {
  const event = (type: string, object: unknown) => eventOf('watch', JSON.stringify({ type, object }));
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', resourceVersion: '7' } };

  test('of a change carries the object and how far the watch is', () => {
    expect(event('MODIFIED', pod)).toEqual({ type: 'MODIFIED', object: pod, resourceVersion: '7' });
  });

  test('of a bookmark carries only how far the watch is', () => {
    const bookmark = { kind: 'Pod', metadata: { resourceVersion: '9', creationTimestamp: null } };
    expect(event('BOOKMARK', bookmark)).toEqual({ type: 'BOOKMARK', resourceVersion: '9' });
  });

  test('of an error is thrown as what it says', () => {
    const gone = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };
    expect(() => event('ERROR', gone)).toThrow('watch: 410 Expired too old resource version');
    try {
      event('ERROR', gone);
    } catch (error) {
      expect(isGone(error)).toBe(true);
    }
  });

  test.each([
    ['no JSON', '{"type":"ADDED","object":{'],
    ['a type nobody knows', JSON.stringify({ type: 'MOVED', object: pod })],
    ['no object', JSON.stringify({ type: 'ADDED' })],
    ['no version', JSON.stringify({ type: 'ADDED', object: { metadata: { name: 'a' } } })],
  ])('that is %s is an error, never an event', (_, line) => {
    expect(() => eventOf('watch', line)).toThrow('watch: a line is no watch event');
  });
});
