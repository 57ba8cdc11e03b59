// The published JSON Schema of the order events, as a merchant would load it.

import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

const SCHEMA_FILE = new URL('../../docs/order-events/order-event.schema.json', import.meta.url);

export const publishedSchema = (): ValidateFunction =>
  new Ajv2020({ validateFormats: false, strictRequired: false, allErrors: true }).compile(
    JSON.parse(readFileSync(SCHEMA_FILE, 'utf8')) as object,
  );
