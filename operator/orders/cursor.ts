// Where an export of orders stands: for each shard the version up to which every order was looked at. As text,
// `s0:120,s1:88`; a shard that it does not name is read from its first order. Pure.

import { isShardId, type ShardId, type Version } from '../../dataplane/protocol/units.ts';
import { UserError } from '../../dataplane/runtime/user-error.ts';

export type Cursor = ReadonlyMap<ShardId, Version>;

export const cursorText = (cursor: Cursor): string =>
  [...cursor].map(([shard, version]) => `${shard}:${version}`).join(',');

/** Throws `UserError` for what is no cursor. */
export function parseCursor(text: string): Cursor {
  const cursor = new Map<ShardId, Version>();
  for (const part of text.split(',')) {
    const [, shard = '', version = ''] = /^(s\d+):(\d{1,16})$/.exec(part) ?? [];
    if (!isShardId(shard) || !Number.isSafeInteger(Number(version)))
      throw new UserError(
        `${JSON.stringify(text)} is no cursor; write what an export printed last, such as s0:120,s1:88`,
      );
    cursor.set(shard, Number(version));
  }
  return cursor;
}
