// Decides whether an object is a FlashSale, by the same schema and the same CEL rules as the API server.

import { withDefaults } from './defaults.ts';
import type { Finding } from './findings.ts';
import type { FlashSale } from './flashsale.gen.ts';
import { OBJECT } from './meta.ts';
import { ruleFindings } from './rules.ts';
import { structureFindings } from './structure.ts';

export type Validation = { ok: true; sale: FlashSale } | { ok: false; findings: Finding[] };

/**
 * `old` is the sale before the change, for the rules that guard one (shards never shrink). Every mistake is found, not
 * only the first. A valid object comes back with every default filled in; the given one is not touched.
 */
export function validate(object: unknown, old?: FlashSale): Validation {
  const sale = withDefaults(object, OBJECT);
  const structure = structureFindings(sale, OBJECT);
  const findings = [...structure, ...ruleFindings(sale, old, OBJECT, structure)];
  return findings.length === 0 ? { ok: true, sale: sale as FlashSale } : { ok: false, findings };
}
