// What the merchant reads on the topic `orders`: each change of an order as a CloudEvent 1.0, in structured mode. The
// schema here is the one source: the published JSON Schema and the AsyncAPI document are generated from it, and a test
// holds the messages of a real topic to them. Pure.

import type { OrderEvent, OrderEventKind } from './messages.ts';
import type { Incarnation, OrderId, ShardId, Units, Version } from './units.ts';

export const CLOUD_EVENTS_MEDIA_TYPE = 'application/cloudevents+json; charset=UTF-8';
/** The number at the end rises when a field goes or changes its meaning; a field that comes leaves it alone. */
export const ORDER_EVENT_SCHEMA_ID = 'https://flashsale.dev/schemas/order-event/1';
const KINDS = ['placed', 'paid', 'cancelled', 'refund-due'] as const satisfies OrderEventKind[];
const orderEventType = (kind: OrderEventKind): string => `dev.flashsale.order.${kind}`;
export const ORDER_EVENT_TYPES: readonly string[] = KINDS.map(orderEventType);

/** The sale that an event is about, in the merchant's words. */
export interface SaleNames {
  namespace: string;
  name: string;
  sku: string;
}

export interface OrderCloudEvent {
  specversion: '1.0';
  id: string;
  source: string;
  type: string;
  subject: OrderId;
  /** The time of the change by the shard's own clock, as in RFC 3339. */
  time: string;
  datacontenttype: 'application/json';
  dataschema: typeof ORDER_EVENT_SCHEMA_ID;
  data: {
    namespace: string;
    sale: string;
    incarnation: Incarnation;
    sku: string;
    shard: ShardId;
    version: Version;
    kind: OrderEventKind;
    order: OrderId;
    buyer: string;
    quantity: Units;
    paymentId?: string;
  };
}

/** Makes the message of a change. A repeated change gives the same message, so its `id` tells repeats apart from news. */
export function orderCloudEvent(event: OrderEvent, { namespace, name, sku }: SaleNames): OrderCloudEvent {
  const { incarnation, shard, version, kind, order, buyer, quantity, paymentId, at } = event;
  return {
    specversion: '1.0',
    id: `${incarnation}-${shard}-${version}`,
    source: `/namespaces/${namespace}/flashsales/${name}`,
    type: orderEventType(kind),
    subject: order,
    time: new Date(at).toISOString(),
    datacontenttype: 'application/json',
    dataschema: ORDER_EVENT_SCHEMA_ID,
    data: {
      ...{ namespace, sale: name, incarnation, sku, shard, version, kind, order, buyer, quantity },
      ...(paymentId === undefined ? {} : { paymentId }),
    },
  };
}

type Schema = Record<string, unknown>;

const object = (properties: Record<string, Schema>, required: string[], rest: Schema = {}): Schema => ({
  type: 'object',
  required,
  properties,
  ...rest,
});
const text = (description: string, rest: Schema = {}): Schema => ({ type: 'string', description, ...rest });
const whole = (description: string): Schema => ({ type: 'integer', minimum: 1, description });

const SHARD = '^s(0|[1-9][0-9]{0,5})$';
const ORDER = '^s(0|[1-9][0-9]{0,5})-[A-Za-z0-9_-]{22}$';

const DATA: Schema = object(
  {
    namespace: text('The namespace of the FlashSale.'),
    sale: text('The name of the FlashSale.'),
    incarnation: text('Names one life of the sale. A sale that was deleted and created anew has another one.'),
    sku: text('spec.sku: the product, as the shop’s other systems know it.'),
    shard: text('The shard that holds the order.', { pattern: SHARD }),
    version: whole('Counts the shard’s changes in commit order; a change that is no order’s has one, too.'),
    kind: {
      enum: KINDS,
      description:
        'placed: the order was made; in a sale without spec.orders.paymentDeadline it is final. paid: paymentId has paid it. ' +
        'cancelled: its units are on sale again. refund-due: paymentId paid an order that it could not pay any more; ' +
        'the order itself did not change.',
    },
    order: text('The order’s id, as the buyer has it.', { pattern: ORDER }),
    buyer: text('The buyer’s id, as the identity provider has it. Personal data.', { minLength: 1 }),
    quantity: whole('The units of the order.'),
    paymentId: text('The payment; only of paid and refund-due.', { minLength: 1 }),
  },
  ['namespace', 'sale', 'incarnation', 'sku', 'shard', 'version', 'kind', 'order', 'buyer', 'quantity'],
  {
    // A payment is named exactly where there is one.
    if: { properties: { kind: { enum: ['paid', 'refund-due'] } } },
    // biome-ignore lint/suspicious/noThenProperty: this is a keyword of JSON Schema
    then: { required: ['paymentId'] },
    else: { not: { required: ['paymentId'] } },
  },
);

/** The JSON Schema (2020-12) of a message. Fields that it does not name may come in a later version. */
export const ORDER_EVENT_SCHEMA: Schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: ORDER_EVENT_SCHEMA_ID,
  title: 'A change of an order of a flash sale, as a CloudEvent',
  ...object(
    {
      specversion: { const: '1.0', description: 'The version of CloudEvents.' },
      id: text(
        'Names the change, with `source`: <incarnation>-<shard>-<version>. A repeated message has the same one.',
      ),
      source: text('The sale: /namespaces/<namespace>/flashsales/<name>.', { format: 'uri-reference' }),
      type: { enum: ORDER_EVENT_TYPES, description: 'What happened: dev.flashsale.order.<kind>.' },
      subject: text('The order’s id; also the key of the message.', { pattern: ORDER }),
      time: text('When it happened, by the shard’s own clock.', { format: 'date-time' }),
      datacontenttype: { const: 'application/json' },
      dataschema: { const: ORDER_EVENT_SCHEMA_ID, description: 'This schema. The number at the end is its version.' },
      data: DATA,
    },
    ['specversion', 'id', 'source', 'type', 'subject', 'time', 'datacontenttype', 'dataschema', 'data'],
  ),
};
