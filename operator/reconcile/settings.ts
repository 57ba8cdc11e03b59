// The operator's configuration file (the chart writes it from its values): read once, checked like a resource, so that a
// mistake is one clear line and not a default.

import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { Address } from '../../dataplane/protocol/config.ts';
import type { Millis } from '../../dataplane/protocol/units.ts';
import { parseAddress } from '../../dataplane/runtime/health.ts';
import { withDefaults } from '../api/defaults.ts';
import { renderError, renderPath } from '../api/findings.ts';
import { parseDuration } from '../api/scalars.ts';
import type { Schema } from '../api/schema.ts';
import { structureFindings } from '../api/structure.ts';
import type { ConsoleAuth } from '../console/auth.ts';
import type { OperatorOptions } from '../manifests/options.ts';

export interface Settings {
  sales: OperatorOptions;
  logLevel: string;
  /** The Lease that decides who leads, and its timing; absent: this operator leads without one. */
  election:
    | { namespace: string; name: string; leaseDuration: Millis; renewDeadline: Millis; retryPeriod: Millis }
    | undefined;
  metrics: Address;
  console: { listen: Address; auth: ConsoleAuth } | undefined;
}

const text: Schema = { type: 'string', description: 'A text.' };
const texts: Schema = { type: 'array', description: 'A list of texts.', items: text };
const words: Schema = { type: 'object', description: 'Texts by name.', additionalProperties: text };
const flag = (initially: boolean): Schema => ({ type: 'boolean', description: 'true or false.', default: initially });
const duration = (initially: string): Schema => ({
  ...text,
  description: 'A duration such as 10s.',
  default: initially,
});
const object = (properties: Record<string, Schema>, more: Partial<Schema> = {}): Schema => ({
  type: 'object',
  description: 'Settings.',
  properties,
  ...more,
});
const resources = object({ requests: words, limits: words });
const count: Schema = { type: 'integer', description: 'A number; 0: no limit.', minimum: 0 };
const limits = object(
  { sales: count, shards: count, cacheNodes: count, storefronts: count, storage: text },
  { default: {} },
);
const toleration = object({
  ...{ key: text, operator: text, value: text, effect: text },
  tolerationSeconds: { type: 'integer', description: 'Seconds.' },
});

const SCHEMA: Schema = object(
  {
    logLevel: { ...text, enum: ['trace', 'debug', 'info', 'warn', 'error'], default: 'info' },
    watchNamespaces: { ...texts, default: [] },
    leaderElection: object(
      {
        ...{ namespace: text, name: text },
        ...{ leaseDuration: duration('15s'), renewDeadline: duration('10s'), retryPeriod: duration('2s') },
      },
      { required: ['namespace', 'name'] },
    ),
    metrics: object({ listen: { ...text, default: '0.0.0.0:9090' } }, { default: {} }),
    console: object(
      {
        enabled: flag(false),
        listen: { ...text, default: '0.0.0.0:8081' },
        auth: object(
          {
            kind: { ...text, enum: ['none', 'basic', 'bearer'], default: 'none' },
            ...{ user: text, passwordFile: text, tokenFile: text },
          },
          { default: {} },
        ),
      },
      { default: {} },
    ),
    images: object({ flashsale: text, redis: text, postgres: text }, { required: ['flashsale', 'redis', 'postgres'] }),
    imagePullPolicy: { ...text, enum: ['Always', 'IfNotPresent', 'Never'], default: 'IfNotPresent' },
    imagePullSecrets: { ...texts, default: [] },
    kafka: object(
      {
        bootstrapServers: { ...texts, minItems: 1 },
        replicationFactor: { type: 'integer', description: 'Copies of a topic.', minimum: 1 },
      },
      { required: ['bootstrapServers'] },
    ),
    pods: object(
      {
        ...{ nodeSelector: words, annotations: words, priorityClassName: text },
        tolerations: { type: 'array', description: 'Tolerations.', items: toleration },
        topologySpread: flag(true),
        resources: object({ storefront: resources, redis: resources, postgres: resources, agent: resources }),
      },
      { default: {} },
    ),
    tenants: object(
      {
        plaintextKafka: { ...texts, default: [] },
        limits: object({ sale: limits, namespace: limits }, { default: {} }),
      },
      { default: {} },
    ),
    networkPolicies: object(
      { enabled: flag(false), operatorNamespace: { ...text, default: 'flashsale-system' } },
      { default: {} },
    ),
  },
  { required: ['images'] },
);

/** Throws an Error with one sentence for each mistake, each naming its place. */
export function parseSettings(source: string, content: string): Settings {
  const given: unknown = parse(content) ?? {};
  const findings = structureFindings(given, SCHEMA);
  if (findings.length > 0)
    throw new Error(
      findings.map(({ at, message }) => renderError({ source, path: renderPath(at), message })).join('\n'),
    );
  const { leaderElection, metrics, console, logLevel, ...sales } = withDefaults(given, SCHEMA) as OperatorOptions & {
    leaderElection?: {
      namespace: string;
      name: string;
      leaseDuration: string;
      renewDeadline: string;
      retryPeriod: string;
    };
    metrics: { listen: string };
    console: { enabled: boolean; listen: string; auth: ConsoleAuth };
    logLevel: string;
  };
  return {
    sales,
    logLevel,
    election: leaderElection && {
      ...leaderElection,
      leaseDuration: parseDuration(leaderElection.leaseDuration),
      renewDeadline: parseDuration(leaderElection.renewDeadline),
      retryPeriod: parseDuration(leaderElection.retryPeriod),
    },
    metrics: parseAddress(metrics.listen),
    console: console.enabled ? { listen: parseAddress(console.listen), auth: console.auth } : undefined,
  };
}

export const readSettings = (file: string): Settings => parseSettings(file, readFileSync(file, 'utf8'));
