// When transfers are sent again.

import { describe, expect, test } from 'vitest';
import type { Transfer } from '../../../dataplane/protocol/messages.ts';
import { decideResend } from '../../../dataplane/shard-agent/resend.ts';

const transfer = (version: number): Transfer => ({
  incarnation: 'sale',
  from: 's0',
  fromIncarnation: 'database',
  to: 'pool',
  destination: 's1',
  units: 1,
  version,
  previous: version - 1,
});

describe('R18: a transfer is sent again', () => {
  test('when nobody has reported it for a second, with all that came after it', () => {
    const first = decideResend(undefined, [transfer(3), transfer(4)], 0);
    expect(first).toEqual({ memory: { version: 3, since: 0 }, send: [] });
    expect(decideResend(first.memory, [transfer(3), transfer(4)], 999).send).toEqual([]);
    const again = decideResend(first.memory, [transfer(3), transfer(4)], 1000);
    expect(again.send.map(({ version }) => version)).toEqual([3, 4]);
    expect(decideResend(again.memory, [transfer(3), transfer(4)], 1999).send).toEqual([]);
    expect(decideResend(again.memory, [transfer(3), transfer(4)], 2000).send).toHaveLength(2);
  });

  test('not while reports make progress', () => {
    const before = decideResend(undefined, [transfer(3), transfer(4)], 0).memory;
    expect(decideResend(before, [transfer(4)], 1500)).toEqual({ memory: { version: 4, since: 1500 }, send: [] });
  });

  test('not when all is reported', () => {
    expect(decideResend({ version: 3, since: 0 }, [], 5000)).toEqual({ memory: undefined, send: [] });
  });
});
