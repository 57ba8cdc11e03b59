// What surrounds spec and status in every object of Kubernetes. The API server checks this part by rules of its own;
// here is the share of them that a file can break.

import { API_VERSION, KIND, SCHEMA, type Schema } from './schema.ts';

export interface ObjectMeta {
  name: string;
  /** The namespace; `default` where a file names none. */
  namespace: string;
  uid?: string;
  /** Raised by every change of spec. */
  generation?: number;
  resourceVersion?: string;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
}

const text: Schema = { type: 'string' };
const words: Schema = { type: 'object', additionalProperties: text };

const METADATA: Schema = {
  type: 'object',
  description: 'Name, namespace, labels and annotations.',
  required: ['name'],
  properties: {
    name: { ...SCHEMA.properties?.metadata?.properties?.name, minLength: 1 },
    namespace: { ...text, minLength: 1, maxLength: 63, default: 'default' },
    labels: words,
    annotations: words,
    // Written by the API server, so found in a file made by `kubectl get -o yaml`.
    uid: text,
    generation: { type: 'integer' },
    resourceVersion: text,
    creationTimestamp: text,
    deletionTimestamp: text,
    deletionGracePeriodSeconds: { type: 'integer' },
    generateName: text,
    selfLink: text,
    finalizers: { type: 'array', items: text },
    ownerReferences: { type: 'array' },
    managedFields: { type: 'array' },
  },
};

const { metadata: _restrictions, ...own } = SCHEMA.properties ?? {};

/** Schema of a whole FlashSale as a file holds it. */
export const OBJECT: Schema = {
  ...SCHEMA,
  required: ['apiVersion', 'kind', 'metadata', 'spec'],
  properties: {
    apiVersion: { type: 'string', description: 'The version of this API.', enum: [API_VERSION] },
    kind: { type: 'string', description: 'The kind of this object.', enum: [KIND] },
    metadata: METADATA,
    ...own,
  },
};
