// Asks the pool's agent to bring virtual stock to a cache node that ran short. For one node and one quantity there is
// one request at a time, however many buyers wait for its answer. Without an answer the outcome is "unavailable", never
// "sold out" (R29).

import { Pool } from 'undici';
import type { Address } from '../protocol/config.ts';
import { REFILL_PATH, type RefillAnswer, type RefillRequest } from '../protocol/refill.ts';
import type { Millis, NodeId, Units } from '../protocol/units.ts';

export type AskRefill = (node: NodeId, quantity: Units) => Promise<RefillAnswer>;

const TIMEOUT: Millis = 3000;
const CONNECTIONS = 8;
const UNAVAILABLE: RefillAnswer = { outcome: 'unavailable', liveUnits: 0 };

export interface RefillClient {
  ask: AskRefill;
  close(): Promise<void>;
}

/** Makes a client that asks over HTTP. Its calls never reject; `failed` is told of every failure. */
export function refillClient(agent: Address, bearer: string, failed: (error: unknown) => void): RefillClient {
  const host = agent.host.includes(':') ? `[${agent.host}]` : agent.host;
  const connections = new Pool(`http://${host}:${agent.port}`, {
    connections: CONNECTIONS,
    connect: { timeout: TIMEOUT },
  });
  const ask: AskRefill = async (node, quantity) => {
    try {
      const { statusCode, body } = await connections.request({
        method: 'POST',
        path: REFILL_PATH,
        headers: { 'content-type': 'application/json', authorization: `Bearer ${bearer}` },
        body: JSON.stringify({ node, quantity } satisfies RefillRequest),
        signal: AbortSignal.timeout(TIMEOUT),
      });
      const text = await body.text();
      if (statusCode !== 200) throw new Error(`the pool's agent answered a refill with status ${statusCode}`);
      return JSON.parse(text) as RefillAnswer;
    } catch (error) {
      failed(error);
      return UNAVAILABLE;
    }
  };
  return { ask, close: () => connections.destroy() };
}

/** Wraps `ask` so that callers who ask the same while an answer is on its way all get that answer. */
export function singleFlight(ask: AskRefill): AskRefill {
  const flights = new Map<string, Promise<RefillAnswer>>();
  return (node, quantity) => {
    const key = `${node} ${quantity}`;
    let flight = flights.get(key);
    if (flight === undefined) {
      flight = ask(node, quantity).finally(() => flights.delete(key));
      flights.set(key, flight);
    }
    return flight;
  };
}
