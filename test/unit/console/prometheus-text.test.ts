import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { parseMetrics } from '../../../operator/console/prometheus-text.ts';

test('what our own roles write is read as they meant it', async () => {
  const registry = new Registry();
  registry.setDefaultLabels({ role: 'storefront' });
  const registers = [registry];
  new Counter({ name: 'answers_total', help: 'Answers.', labelNames: ['outcome'], registers }).inc(
    { outcome: 'a "b" \\ c\nd, e="f"}' },
    3,
  );
  new Gauge({ name: 'plain', help: 'No labels of its own.', registers }).set(-1.5e-7);
  new Histogram({ name: 'took_seconds', help: 'Time.', buckets: [0.1], registers }).observe(2);

  const lines = parseMetrics(await registry.metrics());

  expect(lines).toContainEqual({
    name: 'answers_total',
    labels: { outcome: 'a "b" \\ c\nd, e="f"}', role: 'storefront' },
    value: 3,
  });
  expect(lines).toContainEqual({ name: 'plain', labels: { role: 'storefront' }, value: -1.5e-7 });
  expect(lines).toContainEqual({ name: 'took_seconds_bucket', labels: { le: '+Inf', role: 'storefront' }, value: 1 });
});

test.each([
  ['no labels', 'up 1', [{ name: 'up', labels: {}, value: 1 }]],
  ['empty labels', 'up{} 1', [{ name: 'up', labels: {}, value: 1 }]],
  ['a comma at the end, and a time', 'up{a="b",} 1 1700000000000', [{ name: 'up', labels: { a: 'b' }, value: 1 }]],
  ['an infinity', 'up +Inf', [{ name: 'up', labels: {}, value: Number.POSITIVE_INFINITY }]],
  ['what is not a number', 'up NaN', []],
  ['comments and empty lines', '# HELP up x\n\n# EOF\n', []],
  ['labels that do not end', 'up{a="b 1', []],
  ['labels without quotes', 'up{a=b} 1', []],
  ['no number', 'up', []],
  ['a page of something else', '<html><body>not found</body></html>', []],
])('%s', (_, text, lines) => {
  expect(parseMetrics(text)).toEqual(lines);
});
