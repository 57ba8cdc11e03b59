// Every alert of the chart fires when it should, is silent when it should, and leads to a page that says what to do.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { ALERTS } from './alert-cases.ts';
import { promtool, ruleFiles, rules, wrongFirings } from './promtool.ts';

const RUNBOOKS = join(import.meta.dirname, '..', '..', '..', 'docs', 'runbooks');
const names = [...new Set(rules.flatMap(({ alert }) => alert ?? []))].sort();
/** What a page answers, in the order in which somebody who was woken up asks. */
const HEADINGS = ['What buyers notice', 'Look at', 'Do', 'It is over when'];

test('Prometheus takes every rule file', () => {
  const { code, output } = promtool('check', 'rules', ...ruleFiles);
  expect(output).not.toContain('FAILED');
  expect(code).toBe(0);
});

test('every alert has its cases here, and no case is of an alert that is gone', () => {
  expect(Object.keys(ALERTS).sort()).toEqual(names);
});

test('every alert has a severity, says what is so and what it means, and links to its page', () => {
  for (const { alert, labels, annotations } of rules.filter((rule) => rule.alert)) {
    expect(labels?.severity, alert).toMatch(/^(?:warning|critical)$/);
    expect(annotations?.summary, alert).toMatch(/\.$/);
    expect(annotations?.description, alert).toMatch(/\.$/);
    expect(annotations?.runbook_url, alert).toMatch(new RegExp(`/docs/runbooks/${alert}\\.md$`));
  }
});

test('every page is of an alert, and answers what somebody who was woken up asks', () => {
  const pages = readdirSync(RUNBOOKS).filter((file) => file !== 'README.md');
  expect(pages.map((file) => file.replace(/\.md$/, '')).sort()).toEqual(names);
  for (const page of pages) {
    const headings = [...readFileSync(join(RUNBOOKS, page), 'utf8').matchAll(/^## (.*)$/gm)].map(([, text]) => text);
    expect(headings, page).toEqual(HEADINGS);
  }
  const list = readFileSync(join(RUNBOOKS, 'README.md'), 'utf8');
  expect(names.filter((name) => !list.includes(`[${name}](${name}.md)`))).toEqual([]);
  expect(existsSync(join(RUNBOOKS, 'README.md'))).toBe(true);
});

describe.each(Object.entries(ALERTS))('%s', (alert, { fires, silent }) => {
  it.each(fires)('fires when $when', ({ series, at, firing }) => {
    expect(wrongFirings(alert, series, at, firing)).toBeUndefined();
  });
  it.each(silent)('is silent when $when', ({ series, at }) => {
    expect(wrongFirings(alert, series, at, [])).toBeUndefined();
  });
});
