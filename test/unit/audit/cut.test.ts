import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StockHolderId } from '../../../dataplane/protocol/units.ts';
import { consistentCut, type LedgerEnds } from '../../../operator/audit/cut.ts';

const peers: StockHolderId[] = ['pool', 's0', 's1'];

describe('a consistent cut', () => {
  it('R26: leaves databases that agree as they are', () => {
    const ledgers: LedgerEnds[] = [
      { peer: 'pool', version: 4, receipts: [] },
      { peer: 's0', version: 9, receipts: [{ version: 8, from: 'pool', sent: 4 }] },
    ];
    expect(consistentCut(ledgers)).toEqual(
      new Map([
        ['pool', 4],
        ['s0', 9],
      ]),
    );
  });

  it('R26: takes a receiver back to before what its sender, read earlier, had not sent', () => {
    const ledgers: LedgerEnds[] = [
      { peer: 'pool', version: 3, receipts: [] },
      { peer: 's0', version: 9, receipts: [{ version: 8, from: 'pool', sent: 4 }] },
    ];
    expect(consistentCut(ledgers).get('s0')).toBe(7);
  });

  it('R26: for any history and any moments of reading, knows no receipt whose sending it does not know, and is the largest such cut', () => {
    const step = fc.record({ kind: fc.constantFrom('local', 'send', 'receive'), at: fc.nat(2), to: fc.nat(2) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.tuple(fc.nat(60), fc.nat(60), fc.nat(60)), (steps, reads) => {
        const version: Record<string, number> = { pool: 0, s0: 0, s1: 0 };
        const receipts: Record<string, LedgerEnds['receipts']> = { pool: [], s0: [], s1: [] };
        const wire: { from: StockHolderId; to: StockHolderId; sent: number }[] = [];
        const seen: (LedgerEnds | undefined)[] = [undefined, undefined, undefined];
        const read = (i: number) => {
          const peer = peers[i] as StockHolderId;
          seen[i] = { peer, version: version[peer] ?? 0, receipts: [...(receipts[peer] ?? [])] };
        };
        steps.forEach((s, now) => {
          reads.forEach((at, i) => {
            if (at === now) read(i);
          });
          const peer = peers[s.at] as StockHolderId;
          const next = () => {
            version[peer] = (version[peer] ?? 0) + 1;
            return version[peer] as number;
          };
          if (s.kind === 'local') next();
          else if (s.kind === 'send') wire.push({ from: peer, to: peers[s.to] as StockHolderId, sent: next() });
          else {
            const i = wire.findIndex((w) => w.to === peer && w.from !== peer);
            const [message] = i < 0 ? [] : wire.splice(i, 1);
            if (message) receipts[peer]?.push({ version: next(), from: message.from, sent: message.sent });
          }
        });
        for (const i of [0, 1, 2]) if (!seen[i]) read(i);
        const ledgers = seen as LedgerEnds[];
        const cut = consistentCut(ledgers);
        for (const l of ledgers) {
          const own = cut.get(l.peer) ?? 0;
          for (const r of l.receipts) if (r.version <= own) expect(cut.get(r.from)).toBeGreaterThanOrEqual(r.sent);
          // One more version would break it, unless nothing was cut.
          if (own < l.version) {
            const blocking = l.receipts.find((r) => r.version === own + 1);
            expect(blocking && blocking.sent > (cut.get(blocking.from) ?? 0)).toBe(true);
          }
        }
      }),
    );
  });
});
