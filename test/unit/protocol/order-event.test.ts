// What the merchant is told of orders, held to what is published about it.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type OrderEvent, topicName } from '../../../dataplane/protocol/messages.ts';
import { CLOUD_EVENTS_MEDIA_TYPE, orderCloudEvent } from '../../../dataplane/protocol/order-event.ts';
import { publishedSchema } from '../../harness/order-events.ts';

const TOKEN = 'AAAAAAAAAAAAAAAAAAAAAA';
const placed: OrderEvent = {
  ...{ incarnation: 'i', order: `s3-${TOKEN}`, shard: 's3', version: 17, kind: 'placed', buyer: 'ann', quantity: 2 },
  at: Date.UTC(2026, 10, 27, 12),
};
const sale = { namespace: 'shop', name: 'phone-launch', sku: 'PHONE-17' };

test('an event names sale, namespace, sku, shard, version, kind, quantity, buyer, order and time', () => {
  expect(orderCloudEvent(placed, sale)).toEqual({
    specversion: '1.0',
    id: 'i-s3-17',
    source: '/namespaces/shop/flashsales/phone-launch',
    type: 'dev.flashsale.order.placed',
    subject: `s3-${TOKEN}`,
    time: '2026-11-27T12:00:00.000Z',
    datacontenttype: 'application/json',
    dataschema: 'https://flashsale.dev/schemas/order-event/1',
    data: {
      ...{ namespace: 'shop', sale: 'phone-launch', incarnation: 'i', sku: 'PHONE-17', shard: 's3', version: 17 },
      ...{ kind: 'placed', order: `s3-${TOKEN}`, buyer: 'ann', quantity: 2 },
    },
  });
});

test('a repeated event has the id of the first one, and the next change another', () => {
  expect(orderCloudEvent(placed, sale).id).toBe(orderCloudEvent({ ...placed }, sale).id);
  expect(orderCloudEvent({ ...placed, version: 18 }, sale).id).not.toBe(orderCloudEvent(placed, sale).id);
});

describe('the published schema', () => {
  const valid = publishedSchema();
  const payment = { paymentId: 'pay-1' };

  test.each([
    ['placed', {}],
    ['paid', payment],
    ['cancelled', {}],
    ['refund-due', payment],
  ] as const)('takes %s', (kind, rest) => {
    expect(valid(orderCloudEvent({ ...placed, kind, ...rest }, sale)), JSON.stringify(valid.errors)).toBe(true);
  });

  test('knows every field that is sent', () => {
    const event = orderCloudEvent({ ...placed, kind: 'paid', ...payment }, sale);
    const { properties } = valid.schema as { properties: Record<string, { properties?: object }> };
    expect(Object.keys(event).filter((field) => !(field in properties))).toEqual([]);
    expect(Object.keys(event.data).filter((field) => !(field in (properties.data?.properties ?? {})))).toEqual([]);
  });

  test.each([
    ['a payment without its id', { kind: 'paid' }],
    ['a payment of an order that nobody paid', payment],
    ['no buyer', { buyer: '' }],
    ['no units', { quantity: 0 }],
  ] as const)('refuses %s', (_, wrong) => {
    expect(valid(orderCloudEvent({ ...placed, ...wrong }, sale))).toBe(false);
  });
});

test('the AsyncAPI document names the topic, its content type and the schema beside it', () => {
  const file = new URL('../../../docs/order-events/asyncapi.yaml', import.meta.url);
  const { channels, components, defaultContentType } = parse(readFileSync(file, 'utf8'));
  expect(channels.orders.address).toBe(topicName('flashsale.{namespace}.{sale}', 'orders'));
  expect(defaultContentType).toBe(CLOUD_EVENTS_MEDIA_TYPE);
  expect(components.messages.orderChanged.payload.schema.$ref).toBe('./order-event.schema.json');
});
