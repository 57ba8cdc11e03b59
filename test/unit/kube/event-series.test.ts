// Events are as the API server takes them, whatever the sentence.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eventObject, type Report, seriesKey, seriesPatch } from '../../../operator/kube/event-series.ts';

const report = (changes: Partial<Report> = {}): Report => ({
  about: {
    apiVersion: 'flashsale.dev/v1alpha1',
    kind: 'FlashSale',
    metadata: { name: 'phone', namespace: 'shop', uid: 'u', resourceVersion: '5' },
  },
  type: 'Normal',
  reason: 'Updated',
  action: 'Update',
  note: 'Updated StatefulSet phone-cache',
  ...changes,
});
const reporter = { component: 'flashsale.dev/operator', instance: 'operator-abc' };
const date = new Date('2026-12-01T12:00:00.5Z');

describe('an event', () => {
  test('says what was done to what, by whom', () => {
    expect(eventObject(report(), reporter, 'ff00', date)).toEqual({
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: 'phone.ff00', namespace: 'shop' },
      regarding: {
        apiVersion: 'flashsale.dev/v1alpha1',
        kind: 'FlashSale',
        name: 'phone',
        namespace: 'shop',
        uid: 'u',
        resourceVersion: '5',
      },
      type: 'Normal',
      reason: 'Updated',
      action: 'Update',
      note: 'Updated StatefulSet phone-cache',
      eventTime: '2026-12-01T12:00:00.500000Z',
      reportingController: 'flashsale.dev/operator',
      reportingInstance: 'operator-abc',
    });
  });

  test('is never longer than may be, and is cut after a whole character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 0, maxLength: 3000 }), (note) => {
        const said = eventObject(report({ note }), reporter, 'ff', date).note as string;
        expect(Buffer.byteLength(said)).toBeLessThanOrEqual(1024);
        expect(note.startsWith(said.replace(/…$/, '')) || note === said).toBe(true);
      }),
    );
    const long = eventObject(report({ note: '€'.repeat(1000) }), reporter, 'ff', date).note as string;
    expect(long).toMatch(/^€{340}…$/);
  });

  test('about an object with the longest name still has a name', () => {
    const about = { ...report().about, metadata: { name: 'x'.repeat(253), namespace: 'shop' } };
    expect(eventObject(report({ about }), reporter, 'ff00', date).metadata.name).toHaveLength(253);
  });

  test('about what has no namespace is in the one for that', () => {
    const about = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };
    expect(eventObject(report({ about }), reporter, 'ff', date).metadata.namespace).toBe('default');
  });
});

test('equal reports belong together, others do not', () => {
  expect(seriesKey(report())).toBe(seriesKey(report()));
  const others = [
    report({ type: 'Warning' }),
    report({ reason: 'Created' }),
    report({ action: 'Create' }),
    report({ note: 'Updated StatefulSet phone-shard' }),
    report({ about: { ...report().about, metadata: { name: 'phone', namespace: 'shop', uid: 'next life' } } }),
  ].map(seriesKey);
  expect(new Set([seriesKey(report()), ...others]).size).toBe(6);
});

test('a series carries its count and when it was seen last', () => {
  expect(seriesPatch(3, date)).toEqual({ series: { count: 3, lastObservedTime: '2026-12-01T12:00:00.500000Z' } });
});
