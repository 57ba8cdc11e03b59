// The published description of the topic `orders`: a JSON Schema of its messages, and an AsyncAPI document for whoever
// connects to it, both from dataplane/protocol/order-event.ts. Pure.

import { stringify } from 'yaml';
import { MAC_HEADER } from '../../../dataplane/protocol/message-mac.ts';
import {
  CLOUD_EVENTS_MEDIA_TYPE,
  ORDER_EVENT_SCHEMA,
  ORDER_EVENT_TYPES,
} from '../../../dataplane/protocol/order-event.ts';

const SOURCE = 'dataplane/protocol/order-event.ts';

export const orderEventSchema = (): string =>
  `${JSON.stringify({ $comment: `Generated from ${SOURCE} by hack/generate.`, ...ORDER_EVENT_SCHEMA }, null, 2)}\n`;

export const orderEventsAsyncApi = (): string =>
  `# Generated from ${SOURCE} by \`node hack/generate.ts\`: edit that file, not this one.\n${stringify(DOCUMENT, { lineWidth: 120, aliasDuplicateObjects: false })}`;

const DOCUMENT = {
  asyncapi: '3.0.0',
  info: {
    title: 'flashsale order events',
    // The version of the description, which is the schema's, not the program's.
    version: '1.0.0',
    description:
      'Every change of an order of a flash sale, at least once. The changes of one shard come in the order of their ' +
      'versions; a repeated message has the id of the first one.',
    license: { name: 'Apache-2.0' },
  },
  defaultContentType: CLOUD_EVENTS_MEDIA_TYPE,
  channels: {
    orders: {
      address: 'flashsale.{namespace}.{sale}.orders',
      description: 'One topic for each sale, with one partition.',
      parameters: {
        namespace: { description: 'The namespace of the FlashSale.' },
        sale: { description: 'The name of the FlashSale.' },
      },
      messages: { orderChanged: { $ref: '#/components/messages/orderChanged' } },
      bindings: { kafka: { partitions: 1, bindingVersion: '0.5.0' } },
    },
  },
  operations: {
    orderChanged: {
      action: 'send',
      summary: 'A shard tells of a change of an order.',
      channel: { $ref: '#/channels/orders' },
      messages: [{ $ref: '#/channels/orders/messages/orderChanged' }],
    },
  },
  components: {
    messages: {
      orderChanged: {
        title: 'A change of an order',
        summary: `A CloudEvent 1.0 in structured mode, of a type of ${ORDER_EVENT_TYPES.join(', ')}.`,
        contentType: CLOUD_EVENTS_MEDIA_TYPE,
        headers: {
          type: 'object',
          required: ['content-type', MAC_HEADER],
          properties: {
            'content-type': { const: CLOUD_EVENTS_MEDIA_TYPE },
            [MAC_HEADER]: {
              type: 'string',
              description: 'The message’s code: <key id>.<HMAC-SHA256>, by the key orders-key.',
            },
          },
        },
        bindings: {
          kafka: { key: { type: 'string', description: 'The order’s id.' }, bindingVersion: '0.5.0' },
        },
        payload: {
          schemaFormat: 'application/schema+json;version=draft-2020-12',
          schema: { $ref: './order-event.schema.json' },
        },
      },
    },
  },
};
