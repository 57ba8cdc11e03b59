// Makes an OpenAPI 3.1 document from a table of operations. A server routes by the same table, and a test provokes every
// documented answer and accepts no other. Pure.

import { PROBLEM_MEDIA_TYPE, PROBLEM_TYPE, PROBLEMS, type ProblemCode } from '../protocol/problems.ts';

export type Schema = Record<string, unknown>;

export interface Operation {
  id: string;
  method: 'GET' | 'POST';
  path: string;
  summary: string;
  description?: string;
  /** Names the security scheme that the operation needs; absent where anybody may ask. */
  security?: string;
  body?: { required: boolean; schema: Schema; example: unknown };
  /** For each status its meaning, the schema of its JSON, and the operations that go on from it. */
  answers: Record<number, { description: string; schema: Schema; links?: Record<string, Link> }>;
  problems: readonly ProblemCode[];
}

/** Names an operation that takes something from this answer. */
export interface Link {
  operationId: string;
  parameters?: Record<string, string>;
  requestBody?: unknown;
}

export const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });

/** The problems that the HTTP server itself answers, on whatever path, to a request that it cannot read. */
const UNREADABLE: readonly ProblemCode[] = ['malformed', 'request-timeout', 'headers-too-large'];
export const VISIBLE_TEXT: Schema = { type: 'string', minLength: 1, maxLength: 128, pattern: '^[!-~]+$' };
export const object = (properties: Record<string, Schema>, required: string[]): Schema => ({
  type: 'object',
  additionalProperties: false,
  required,
  properties,
});

const PROBLEM_SCHEMA: Schema = object(
  {
    type: { type: 'string', format: 'uri', description: 'Which problem; stable.' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
  },
  ['type', 'title', 'status', 'detail'],
);

export const problemsOf = ({ problems }: Operation): ProblemCode[] => [...new Set([...UNREADABLE, ...problems])];

interface Document {
  title: string;
  description: string;
  /** The program's. */
  version: string;
  operations: readonly Operation[];
  /** The schemas that `ref` names, but for `Problem`. */
  schemas: Record<string, Schema>;
  securitySchemes: Record<string, Schema>;
}

export function openapiDocument({ title, description, version, operations, schemas, securitySchemes }: Document) {
  const paths = [...Map.groupBy(operations, ({ path }) => path)].map(([path, group]) => [
    path,
    {
      ...(path.includes('{id}') ? { parameters: [ORDER_ID] } : {}),
      ...Object.fromEntries(group.map((operation) => [operation.method.toLowerCase(), described(operation)])),
    },
  ]);
  return {
    openapi: '3.1.0',
    info: { title, version, description, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: '/' }],
    paths: Object.fromEntries(paths),
    components: { schemas: { ...schemas, Problem: PROBLEM_SCHEMA }, securitySchemes },
  };
}

const ORDER_ID = {
  name: 'id',
  in: 'path',
  required: true,
  schema: { type: 'string' },
  description: 'As the checkout answered it.',
};

function described(operation: Operation) {
  const { id, summary, description, security, body, answers } = operation;
  return {
    operationId: id,
    summary,
    ...(description === undefined ? {} : { description }),
    security: security === undefined ? [] : [{ [security]: [] }],
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: body.required,
            content: { 'application/json': { schema: body.schema, example: body.example } },
          },
        }),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, { description, schema, links = {} }]) => [
          status,
          { description, content: { 'application/json': { schema } }, links },
        ]),
      ),
      ...refusals(problemsOf(operation)),
    },
  };
}

/** Makes one response for each status, which names the status's problems. */
function refusals(codes: readonly ProblemCode[]) {
  const byStatus = Map.groupBy(codes, (code) => PROBLEMS[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      status,
      {
        description: group.map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`).join(' '),
        headers: headersOf(status),
        content: {
          [PROBLEM_MEDIA_TYPE]: {
            schema: {
              ...ref('Problem'),
              type: 'object',
              properties: { type: { enum: group.map((code) => PROBLEM_TYPE + code) }, status: { const: status } },
            },
          },
        },
      },
    ]),
  );
}

function headersOf(status: number) {
  if (status === 401) return { 'WWW-Authenticate': { required: true, schema: { type: 'string' } } };
  if (![403, 409, 429, 503].includes(status)) return {};
  const always = status === 429 || status === 503;
  return {
    'Retry-After': { required: always, description: 'Seconds.', schema: { type: 'integer', minimum: 1 } },
  };
}
