// A page as a picture, by headless Chromium.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export function screenshot(html: string, file: string, size: { width: number; height: number }): void {
  const folder = mkdtempSync(join(tmpdir(), 'flashsale-picture-'));
  try {
    const page = join(folder, 'page.html');
    writeFileSync(page, html);
    const { status, stderr } = spawnSync(
      process.env.FLASHSALE_CHROMIUM ?? 'chromium',
      [
        ...['--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--force-color-profile=srgb'],
        `--user-data-dir=${join(folder, 'profile')}`,
        `--window-size=${size.width},${size.height}`,
        `--screenshot=${file}`,
        `file://${page}`,
      ],
      { encoding: 'utf8', timeout: 60_000 },
    );
    if (status !== 0) throw new Error(`Chromium took no picture: ${stderr.slice(-1000)}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
