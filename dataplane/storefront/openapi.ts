// The buyers' API as an OpenAPI 3.1 document, made from one table of operations. The server routes by the same table,
// and a test provokes every documented answer and accepts no other. Pure.

import type { AuthConfig } from '../protocol/config.ts';
import { PROBLEM_MEDIA_TYPE, PROBLEM_TYPE, PROBLEMS, type ProblemCode } from '../protocol/problems.ts';
import { MAX_QUANTITY } from './body.ts';
import { AVAILABILITIES, PHASES } from './sale-state.ts';

type Schema = Record<string, unknown>;

export interface Operation {
  id: string;
  method: 'GET' | 'POST';
  path: string;
  summary: string;
  description?: string;
  /** True when the operation needs to know its buyer. */
  buyer: boolean;
  body?: { required: boolean; schema: Schema; example: unknown };
  /** For each status its meaning, the schema of its JSON, and the operations that go on from it. */
  answers: Record<number, { description: string; schema: Schema; links?: Record<string, Link> }>;
  problems: readonly ProblemCode[];
}

/** Names an operation that takes something from this answer. */
interface Link {
  operationId: string;
  parameters?: Record<string, string>;
  requestBody?: unknown;
}

const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });

/** The problems that the HTTP server itself answers, on whatever path, to a request that it cannot read. */
const UNREADABLE: readonly ProblemCode[] = ['malformed', 'request-timeout', 'headers-too-large'];
const BUYER: readonly ProblemCode[] = ['unauthenticated', 'unavailable'];
const ORDER: readonly ProblemCode[] = [...BUYER, 'order-not-found', 'not-found'];

const CHECKOUT_NEXT: Record<string, Link> = {
  checkout: { operationId: 'checkout', requestBody: { token: '$response.body#/token' } },
};
const ORDER_NEXT: Record<string, Link> = Object.fromEntries(
  ['getOrder', 'payOrder', 'cancelOrder'].map((id) => [
    id,
    { operationId: id, parameters: { id: '$response.body#/order' } },
  ]),
);

const VISIBLE_TEXT: Schema = { type: 'string', minLength: 1, maxLength: 128, pattern: '^[!-~]+$' };
const object = (properties: Record<string, Schema>, required: string[]): Schema => ({
  type: 'object',
  additionalProperties: false,
  required,
  properties,
});

export const OPERATIONS: readonly Operation[] = [
  {
    id: 'purchase',
    method: 'POST',
    path: '/purchase',
    summary: 'Reserve units for a short time',
    description:
      'Answers a token. Asking again while it is live gives the same token back, so a lost answer is repeated safely. Nothing is sold until the token is checked out.',
    buyer: true,
    body: {
      required: false,
      schema: object({ quantity: { type: 'integer', minimum: 1, maximum: MAX_QUANTITY, default: 1 } }, []),
      example: { quantity: 1 },
    },
    answers: {
      200: { description: 'The buyer’s live token, again.', schema: ref('Purchase'), links: CHECKOUT_NEXT },
      201: { description: 'A new token.', schema: ref('Purchase'), links: CHECKOUT_NEXT },
    },
    problems: [
      ...BUYER,
      'too-large',
      'not-open',
      'closed',
      'not-qualified',
      'quantity-limit',
      'limit-reached',
      'rate-limited',
      'sold-out',
      'busy',
      'paused',
    ],
  },
  {
    id: 'checkout',
    method: 'POST',
    path: '/checkout',
    summary: 'Turn a token into an order',
    description: 'At most one order comes of a token, however often it is sent.',
    buyer: true,
    body: {
      required: true,
      schema: object({ token: { type: 'string', minLength: 1 } }, ['token']),
      example: { token: 'fs1.…' },
    },
    answers: {
      200: { description: 'The order that the token became before.', schema: ref('Order'), links: ORDER_NEXT },
      201: { description: 'A new order.', schema: ref('Order'), links: ORDER_NEXT },
    },
    problems: [...BUYER, 'too-large', 'token-invalid', 'token-not-yours', 'token-expired', 'shortage'],
  },
  {
    id: 'getOrder',
    method: 'GET',
    path: '/orders/{id}',
    summary: 'One of your orders',
    buyer: true,
    answers: { 200: { description: 'The order.', schema: ref('Order') } },
    problems: ORDER,
  },
  {
    id: 'payOrder',
    method: 'POST',
    path: '/orders/{id}/pay',
    summary: 'Tell that an order is paid',
    description: 'The same payment may be told any number of times.',
    buyer: true,
    body: {
      required: true,
      schema: object({ paymentId: VISIBLE_TEXT }, ['paymentId']),
      example: { paymentId: 'pay-1' },
    },
    answers: { 200: { description: 'The order is paid by this payment.', schema: ref('Order') } },
    problems: [...ORDER, 'too-large', 'order-final', 'refund-due'],
  },
  {
    id: 'cancelOrder',
    method: 'POST',
    path: '/orders/{id}/cancel',
    summary: 'Cancel an order that is not paid',
    description: 'Its units go on sale again. A body is not looked at.',
    buyer: true,
    answers: { 200: { description: 'The order is cancelled.', schema: ref('Order') } },
    problems: [...ORDER, 'order-final', 'order-paid'],
  },
  {
    id: 'getSale',
    method: 'GET',
    path: '/sale',
    summary: 'What anybody may know about the sale',
    buyer: false,
    answers: { 200: { description: 'The sale now.', schema: ref('Sale') } },
    problems: [],
  },
  {
    id: 'getOpenapi',
    method: 'GET',
    path: '/openapi.json',
    summary: 'This document',
    buyer: false,
    answers: { 200: { description: 'An OpenAPI 3.1 document.', schema: { type: 'object' } } },
    problems: [],
  },
];

const MILLIS: Schema = { type: 'integer', minimum: 0 };
const UNITS: Schema = { type: 'integer', minimum: 1 };
const TIME: Schema = { type: 'string', format: 'date-time' };

const SCHEMAS: Record<string, Schema> = {
  Purchase: object(
    {
      token: { type: 'string', description: 'Send it to POST /checkout, unchanged.' },
      quantity: { ...UNITS, description: 'Of the live token, which may differ from what was asked for just now.' },
      expiresInMs: { ...MILLIS, description: 'Afterwards the units are on sale again.' },
      sku: { type: 'string' },
    },
    ['token', 'quantity', 'expiresInMs', 'sku'],
  ),
  Order: object(
    {
      order: { type: 'string' },
      quantity: UNITS,
      status: { enum: ['placed', 'paid', 'cancelled', 'final'] },
      payWithinMs: { ...MILLIS, description: 'Afterwards an unpaid order is cancelled.' },
      paymentId: { type: 'string' },
    },
    ['order', 'quantity', 'status'],
  ),
  Sale: object(
    {
      sku: { type: 'string' },
      phase: { enum: PHASES },
      opensAt: TIME,
      closesAt: TIME,
      availability: {
        enum: AVAILABILITIES,
        description: 'A hint: more than a tenth of the stock is left, less, none.',
      },
      perBuyer: UNITS,
      maxQuantity: UNITS,
      tokenTtlMs: MILLIS,
      paymentDeadlineMs: MILLIS,
    },
    ['sku', 'phase', 'availability', 'perBuyer', 'maxQuantity', 'tokenTtlMs'],
  ),
  Problem: object(
    {
      type: { type: 'string', format: 'uri', description: 'Which problem; stable.' },
      title: { type: 'string' },
      status: { type: 'integer' },
      detail: { type: 'string' },
    },
    ['type', 'title', 'status', 'detail'],
  ),
};

export const problemsOf = ({ problems }: Operation): ProblemCode[] => [...new Set([...UNREADABLE, ...problems])];

/** Makes the OpenAPI document. `version` is the program's. */
export function openapi(auth: AuthConfig, version: string) {
  const paths = [...Map.groupBy(OPERATIONS, ({ path }) => path)].map(([path, operations]) => [
    path,
    {
      ...(path.includes('{id}') ? { parameters: [ORDER_ID] } : {}),
      ...Object.fromEntries(operations.map((operation) => [operation.method.toLowerCase(), described(operation)])),
    },
  ]);
  return {
    openapi: '3.1.0',
    info: {
      title: 'flashsale storefront',
      version,
      description:
        'Purchase a token, then check out with it. Every write may be repeated with the same content: nothing is done twice. Another method on a path is answered with the problem method-not-allowed, another path with not-found.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths: Object.fromEntries(paths),
    components: { schemas: SCHEMAS, securitySchemes: { buyer: securityScheme(auth) } },
  };
}

const ORDER_ID = {
  name: 'id',
  in: 'path',
  required: true,
  schema: { type: 'string' },
  description: 'As the checkout answered it.',
};

const securityScheme = (auth: AuthConfig) =>
  auth.kind === 'header'
    ? { type: 'apiKey', in: 'header', name: auth.header, description: 'Set by the authenticating proxy.' }
    : {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description: `The buyer is the claim ${auth.buyerClaim}.`,
      };

function described(operation: Operation) {
  const { id, summary, description, buyer, body, answers } = operation;
  return {
    operationId: id,
    summary,
    ...(description === undefined ? {} : { description }),
    security: buyer ? [{ buyer: [] }] : [],
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
