// The files of the page, read once: our own from the folder page/, the charting library from its package. Nothing else
// on this machine can be asked for.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Asset {
  type: string;
  etag: string;
  body: Buffer;
}

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** The files of the page, by name. */
export function loadAssets(): ReadonlyMap<string, Asset> {
  const page = join(import.meta.dirname, 'page');
  const uplot = dirname(fileURLToPath(import.meta.resolve('uplot')));
  const files = readdirSync(page).map((name) => [name, join(page, name)] as const);
  const library = [
    ['uplot.js', join(uplot, 'uPlot.esm.js')],
    ['uplot.css', join(uplot, 'uPlot.min.css')],
  ] as const;
  return new Map(
    [...files, ...library].flatMap(([name, path]) => {
      const type = TYPES[extname(name)];
      return type === undefined ? [] : [[name, asset(type, readFileSync(path))] as const];
    }),
  );
}

const asset = (type: string, body: Buffer): Asset => ({
  type,
  etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
  body,
});
