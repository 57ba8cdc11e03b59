// The buyers' API as an OpenAPI 3.1 document, made from one table of operations. The server routes by the same table,
// and a test provokes every documented answer and accepts no other. Pure.

import { type Link, type Operation, object, openapiDocument, ref, type Schema, VISIBLE_TEXT } from '../http/openapi.ts';
import type { AuthConfig } from '../protocol/config.ts';
import type { ProblemCode } from '../protocol/problems.ts';
import { MAX_QUANTITY } from './body.ts';
import { AVAILABILITIES, PHASES } from './sale-state.ts';

const BUYER: readonly ProblemCode[] = ['unauthenticated', 'unavailable'];
const WRITE: readonly ProblemCode[] = ['unsupported-media-type', 'cross-site'];
const ORDER: readonly ProblemCode[] = [...BUYER, 'order-not-found', 'not-found', 'rate-limited', 'busy'];

const CHECKOUT_NEXT: Record<string, Link> = {
  checkout: { operationId: 'checkout', requestBody: { token: '$response.body#/token' } },
};
const ORDER_NEXT: Record<string, Link> = Object.fromEntries(
  ['getOrder', 'payOrder', 'cancelOrder'].map((id) => [
    id,
    { operationId: id, parameters: { id: '$response.body#/order' } },
  ]),
);

export const OPERATIONS: readonly Operation[] = [
  {
    id: 'purchase',
    method: 'POST',
    path: '/purchase',
    summary: 'Reserve units for a short time',
    description:
      'Answers a token. Asking again while it is live gives the same token back, so a lost answer is repeated safely. Nothing is sold until the token is checked out.',
    security: 'buyer',
    // A request without a body may come from a page of another site, because it needs no content type.
    body: {
      required: true,
      schema: object({ quantity: { type: 'integer', minimum: 1, maximum: MAX_QUANTITY, default: 1 } }, []),
      example: { quantity: 1 },
    },
    answers: {
      200: { description: 'The buyer’s live token, again.', schema: ref('Purchase'), links: CHECKOUT_NEXT },
      201: { description: 'A new token.', schema: ref('Purchase'), links: CHECKOUT_NEXT },
    },
    problems: [
      ...BUYER,
      ...WRITE,
      'too-large',
      'not-open',
      'closed',
      'not-qualified',
      'quantity-limit',
      'limit-reached',
      'rate-limited',
      'reservations-lapsed',
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
    security: 'buyer',
    body: {
      required: true,
      schema: object({ token: { type: 'string', minLength: 1 } }, ['token']),
      example: { token: 'fs1.…' },
    },
    answers: {
      200: { description: 'The order that the token became before.', schema: ref('Order'), links: ORDER_NEXT },
      201: { description: 'A new order.', schema: ref('Order'), links: ORDER_NEXT },
    },
    problems: [...BUYER, ...WRITE, 'too-large', 'token-invalid', 'token-not-yours', 'token-expired', 'shortage'],
  },
  {
    id: 'getOrder',
    method: 'GET',
    path: '/orders/{id}',
    summary: 'One of your orders',
    security: 'buyer',
    answers: { 200: { description: 'The order.', schema: ref('Order') } },
    problems: ORDER,
  },
  {
    id: 'payOrder',
    method: 'POST',
    path: '/orders/{id}/pay',
    summary: 'Tell that an order is paid',
    description: 'The same payment may be told any number of times.',
    security: 'buyer',
    body: {
      required: true,
      schema: object({ paymentId: VISIBLE_TEXT }, ['paymentId']),
      example: { paymentId: 'pay-1' },
    },
    answers: { 200: { description: 'The order is paid by this payment.', schema: ref('Order') } },
    problems: [...ORDER, ...WRITE, 'too-large', 'order-final', 'refund-due'],
  },
  {
    id: 'cancelOrder',
    method: 'POST',
    path: '/orders/{id}/cancel',
    summary: 'Cancel an order that is not paid',
    description: 'Its units go on sale again. What the body says is not looked at.',
    security: 'buyer',
    body: { required: true, schema: {}, example: {} },
    answers: { 200: { description: 'The order is cancelled.', schema: ref('Order') } },
    problems: [...ORDER, ...WRITE, 'order-final', 'order-paid'],
  },
  {
    id: 'getSale',
    method: 'GET',
    path: '/sale',
    summary: 'What anybody may know about the sale',
    answers: { 200: { description: 'The sale now.', schema: ref('Sale') } },
    problems: [],
  },
  {
    id: 'getOpenapi',
    method: 'GET',
    path: '/openapi.json',
    summary: 'This document',
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
};

/** Makes the OpenAPI document. `version` is the program's. */
export const openapi = (auth: AuthConfig, version: string) =>
  openapiDocument({
    title: 'flashsale storefront',
    description:
      'Purchase a token, then check out with it. Every write may be repeated with the same content: nothing is done twice. It says Content-Type: application/json, also without a body. Another method on a path is answered with the problem method-not-allowed, another path with not-found.',
    version,
    operations: OPERATIONS,
    schemas: SCHEMAS,
    securitySchemes: { buyer: securityScheme(auth) },
  });

const securityScheme = (auth: AuthConfig) =>
  auth.kind === 'header'
    ? { type: 'apiKey', in: 'header', name: auth.header, description: 'Set by the authenticating proxy.' }
    : {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description: auth.kind === 'jwt' ? `The buyer is the claim ${auth.buyerClaim}.` : 'Nobody is let in.',
      };
