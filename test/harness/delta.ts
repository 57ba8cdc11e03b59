// A stock holder's report for tests of those who read them: of a holder that has nothing yet, but for what a test says.

import type { Delta } from '../../dataplane/protocol/messages.ts';
import type { StockHolderId } from '../../dataplane/protocol/units.ts';

export const deltaOf = (peer: StockHolderId, fields: Partial<Delta> = {}): Delta => ({
  incarnation: 'sale',
  peer,
  peerIncarnation: `life of ${peer}`,
  version: 1,
  fromVersion: 0,
  delta: 0,
  available: 0,
  sold: 0,
  cancelled: 0,
  missed: 0,
  missedMax: 0,
  sent: {},
  received: 0,
  receivedVersions: {},
  command: { term: 0, sequence: 0 },
  ...fields,
});
