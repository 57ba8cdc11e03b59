// The chart's values as tables for its README.

import { describe, expect, it } from 'vitest';
import { sectionsOf, withValues } from '../../../hack/lib/generate/chart/values.ts';

const VALUES = `# What this file is.

# ## First

# How many.
replicas: 2
image:
  # Where from.
  repository: a/b
  # Which | one.
  tag: ''
# All of it.
resources:
  requests: {cpu: 1}

# ## Second

silent: true
`;

describe('a table of values', () => {
  it('has every value by its section, with its default and its comment', () => {
    expect(sectionsOf(VALUES)).toEqual([
      {
        title: 'First',
        values: [
          { path: 'replicas', default: '2', meaning: 'How many.' },
          { path: 'image.repository', default: 'a/b', meaning: 'Where from.' },
          { path: 'image.tag', default: "''", meaning: 'Which | one.' },
          { path: 'resources', default: '{requests: {cpu: 1}}', meaning: 'All of it.' },
        ],
      },
      { title: 'Second', values: [{ path: 'silent', default: 'true', meaning: '' }] },
    ]);
  });

  it('stands between the marks of the README, and nowhere else', () => {
    const readme =
      'before\n<!-- Values: made of values.yaml by hack/generate. -->\nold\n<!-- End of values. -->\nafter\n';
    const made = withValues(readme, VALUES);
    expect(made).toMatch(/^before\n<!-- Values.*-->\n### First\n/s);
    expect(made).toMatch(/<!-- End of values. -->\nafter\n$/);
    expect(made).toContain("| `image.tag` | `''` | Which \\| one. |");
    expect(made).not.toContain('old');
    expect(withValues(made, VALUES)).toBe(made);
  });

  it('is refused a place in a page without marks', () => {
    expect(() => withValues('nothing here', VALUES)).toThrow('no marks');
  });
});
