// The chart's values.yaml as a table for its README: every value with its default and the comment above it. Pure.
//
// A map with a comment is one value, shown whole; a map without one is a group of values. `# ## Text` begins a section.

import { isMap, isScalar, type Node, type Pair, parseDocument, stringify, type YAMLMap } from 'yaml';

export interface Value {
  /** Such as `image.tag`. */
  path: string;
  /** The default, as one would write it in one line. */
  default: string;
  /** What the value means; empty: nobody says. */
  meaning: string;
}

export interface Section {
  title: string;
  values: Value[];
}

export function sectionsOf(text: string): Section[] {
  const sections: Section[] = [];
  const walk = (map: YAMLMap, prefix: string) => {
    map.items.forEach((pair, i) => {
      const path = `${prefix}${nameOf(pair)}`;
      const { title, meaning } = commentOf(pair, i === 0 ? map : undefined);
      if (title !== undefined) sections.push({ title, values: [] });
      if (isMap(pair.value) && pair.value.items.length > 0 && meaning === '') walk(pair.value, `${path}.`);
      else sections.at(-1)?.values.push({ path, default: oneLine(pair.value as Node | null), meaning });
    });
  };
  const { contents } = parseDocument(text);
  if (!isMap(contents)) throw new Error('values.yaml holds no values');
  walk(contents, '');
  return sections;
}

const nameOf = ({ key }: Pair): string => (isScalar(key) ? String(key.value) : '');

/** The parser gives what stands above a map's first key to the map. */
function commentOf({ key }: Pair, map: YAMLMap | undefined): { title: string | undefined; meaning: string } {
  const comment = (isScalar(key) ? key.commentBefore : undefined) ?? map?.commentBefore ?? '';
  const lines = comment.split('\n').map((line) => line.trim());
  const heading = lines.findIndex((line) => line.startsWith('## '));
  const title = lines[heading]?.slice('## '.length);
  return {
    title,
    meaning: lines
      .slice(heading + 1)
      .join(' ')
      .trim(),
  };
}

const oneLine = (value: Node | null): string =>
  stringify(value, { collectionStyle: 'flow', flowCollectionPadding: false, lineWidth: 0 }).trim();

const valuesTables = (text: string): string =>
  sectionsOf(text)
    .map(({ title, values }) => {
      const rows = values.map(
        ({ path, default: standard, meaning }) =>
          `| \`${path}\` | \`${standard}\` | ${meaning.replaceAll('|', '\\|')} |`,
      );
      return `### ${title}\n| value | default | meaning |\n| --- | --- | --- |\n${rows.join('\n')}\n`;
    })
    .join('\n');

const MARKS = ['<!-- Values: made of values.yaml by hack/generate. -->\n', '<!-- End of values. -->'] as const;

/** The README with its tables made anew. */
export function withValues(readme: string, values: string): string {
  const [begin, end] = MARKS.map((mark) => readme.indexOf(mark));
  if (begin === undefined || end === undefined || begin < 0 || end < begin) throw new Error('the README has no marks');
  return `${readme.slice(0, begin)}${MARKS[0]}${valuesTables(values)}${readme.slice(end)}`;
}
