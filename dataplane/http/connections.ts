// Bounds what connections may cost, whoever is at their other end. A client may open many and send nothing, send
// requests and read no answer, or never let go; none of that may fill the memory or keep buyers out. What one rule here
// does to a client that is merely slow or far away is said beside the rule.
//
// A request costs this file a few steps and no timer and no listener: what needs looking after is looked at once a second.

import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Millis } from '../protocol/units.ts';

export interface ConnectionLimits {
  /** The most connections of this server. */
  most: number;
  /** The most connections of one client (`clientOf`); undefined: as many as `most`. */
  perAddress?: number;
}

export interface ConnectionTimes {
  /** How long a client may leave an answer unread, in all. The largest answer is 30 KB, so a slow one has time enough. */
  unread: Millis;
  /** How long a connection on which everything is said waits for its client to close it. */
  linger: Millis;
  /** How often connections are looked at. */
  look: Millis;
}

const CONNECTION_TIMES: ConnectionTimes = { unread: 10_000, linger: 5_000, look: 1_000 };

/**
 * How many requests one connection may have that are not answered to the last byte. Browsers and proxies send the next
 * request when they have the answer; a few more are let pass.
 */
export const MOST_UNANSWERED = 4;

/** Why a connection was cut. */
export const CUTS = ['full', 'gave-way', 'per-address', 'pipelined', 'unread', 'lingering'] as const;
export type Cut = (typeof CUTS)[number];

interface Connection {
  socket: Socket;
  client: string | undefined;
  /** Answers in the order of their requests. Those at the front may be out already. */
  answers: ServerResponse[];
  requests: number;
  /** How many requests there were when the connection was last looked at. */
  seen: number;
  /** Since when there is something that the client did not read, or nothing more to say, or nothing to do. */
  unreadSince: Millis | undefined;
  endedSince: Millis | undefined;
  idleSince: Millis | undefined;
}

/** The part of node:http's parser that is used here: what it calls with each request whose head it has read. */
interface Parser {
  onIncoming?: ((request: unknown, keepAlive: boolean) => number) | null;
}
/** Tells the parser that what follows is no HTTP, as after a request to upgrade. */
const NO_MORE_REQUESTS = 2;

export class Connections {
  readonly #limits: () => ConnectionLimits;
  readonly #cut: (why: Cut) => void;
  readonly #times: ConnectionTimes;
  readonly #all = new Map<Socket, Connection>();
  readonly #perClient = new Map<string, number>();
  /** Connections that were idle when they were last looked at, the longest idle last. */
  #idle: Connection[] = [];

  /** `limits` is asked for each new connection, so that an edit counts at once. `cut` hears of every connection cut here. */
  constructor(server: Server, limits: () => ConnectionLimits, cut: (why: Cut) => void, times = CONNECTION_TIMES) {
    this.#limits = limits;
    this.#cut = cut;
    this.#times = times;
    server.on('connection', (socket: Socket) => this.#open(socket));
    const looking = setInterval(() => this.#look(performance.now()), times.look);
    looking.unref();
    server.once('close', () => clearInterval(looking));
  }

  get count(): number {
    return this.#all.size;
  }

  /** Returns false when nothing may be done for the request, because its connection has been cut. */
  admit(socket: Socket, answer: ServerResponse): boolean {
    const connection = this.#all.get(socket);
    if (connection === undefined || !this.#takesMore(connection)) return false;
    connection.requests++;
    connection.answers.push(answer);
    return true;
  }

  /** Cuts a connection that has as many unanswered requests as it may have. */
  #takesMore(connection: Connection): boolean {
    const { socket, answers } = connection;
    if (socket.destroyed) return false;
    dropAnswered(answers);
    if (answers.length < MOST_UNANSWERED) return true;
    this.#end(connection, 'pipelined');
    return false;
  }

  /**
   * Makes the parser of a connection leave the rest of a packet alone once the connection is cut. A packet holds a thousand
   * small requests, and each of them would still become objects that live until the connection's end is processed: a
   * thousand such packets at once filled the memory. node:http documents no way to stop its parser; what is done here is
   * what it does itself when a connection becomes another protocol's. A Node whose sockets have no such parser only
   * lacks this: `admit` refuses each request all the same.
   */
  #stopAtTheLimit(connection: Connection): void {
    const { parser } = connection.socket as Socket & { parser?: Parser | null };
    const incoming = parser?.onIncoming;
    if (!parser || typeof incoming !== 'function') return;
    parser.onIncoming = (request, keepAlive) =>
      this.#takesMore(connection) ? incoming(request, keepAlive) : NO_MORE_REQUESTS;
  }

  #open(socket: Socket): void {
    const { most, perAddress } = this.#limits();
    const client = perAddress === undefined ? undefined : clientOf(socket.remoteAddress ?? '');
    const others = client === undefined ? 0 : (this.#perClient.get(client) ?? 0);
    if (perAddress !== undefined && others >= perAddress) {
      this.#refuse(socket, 'per-address');
      return;
    }
    if (this.#all.size >= most && !this.#makeRoom()) {
      this.#refuse(socket, 'full');
      return;
    }
    if (client !== undefined) this.#perClient.set(client, others + 1);
    const connection: Connection = {
      ...{ socket, client, answers: [], requests: 0, seen: 0 },
      ...{ unreadSince: undefined, endedSince: undefined, idleSince: undefined },
    };
    this.#all.set(socket, connection);
    this.#stopAtTheLimit(connection);
    socket.once('close', () => this.#closed(connection));
  }

  #closed({ socket, client }: Connection): void {
    this.#all.delete(socket);
    if (client === undefined) return;
    const left = (this.#perClient.get(client) ?? 1) - 1;
    if (left > 0) this.#perClient.set(client, left);
    else this.#perClient.delete(client);
  }

  #refuse(socket: Socket, why: Cut): void {
    this.#cut(why);
    socket.destroy();
  }

  #end({ socket }: Connection, why: Cut): void {
    this.#cut(why);
    // What is unread is not sent any more; a client that did read all of it is told no more than that this is the end.
    socket.destroy();
  }

  /**
   * Ends the connection that has been idle longest, so that whoever only holds connections keeps nobody out. A load
   * balancer's idle connection may be among them; it opens another one.
   */
  #makeRoom(): boolean {
    for (let oldest = this.#idle.pop(); oldest !== undefined; oldest = this.#idle.pop()) {
      if (oldest.socket.destroyed || oldest.requests !== oldest.seen) continue;
      // The socket leaves the count only when its end is processed; this one makes room now.
      this.#closed(oldest);
      oldest.client = undefined;
      this.#end(oldest, 'gave-way');
      return true;
    }
    return false;
  }

  #look(now: Millis): void {
    const idle: Connection[] = [];
    for (const connection of this.#all.values()) {
      const { socket, answers } = connection;
      dropAnswered(answers);
      connection.unreadSince = socket.writableLength > 0 ? (connection.unreadSince ?? now) : undefined;
      connection.endedSince = socket.writableEnded ? (connection.endedSince ?? now) : undefined;
      const isIdle = answers.length === 0 && connection.requests === connection.seen;
      // A connection is idle from the second look on: a new one has had time to send something by then.
      if (isIdle && connection.idleSince !== undefined) idle.push(connection);
      connection.idleSince = isIdle ? (connection.idleSince ?? now) : undefined;
      connection.seen = connection.requests;
      if (now - (connection.unreadSince ?? now) >= this.#times.unread) this.#end(connection, 'unread');
      else if (now - (connection.endedSince ?? now) >= this.#times.linger) this.#end(connection, 'lingering');
    }
    const { most } = this.#limits();
    // Only a server that is nearly full will want to know.
    this.#idle = this.#all.size * 2 < most ? [] : idle.sort((a, b) => (b.idleSince ?? now) - (a.idleSince ?? now));
  }
}

/** Drops the answers at the front that are out to the last byte. */
function dropAnswered(answers: ServerResponse[]): void {
  while (answers[0]?.writableFinished) answers.shift();
}

/**
 * Returns who is counted as one client: an IPv4 address, or the /64 network of an IPv6 address, which is what one
 * customer of a provider has at least.
 */
export function clientOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1] !== undefined) return mapped[1];
  if (!address.includes(':')) return address;
  const [head = '', tail] = (address.split('%')[0] ?? '').toLowerCase().split('::');
  const groups = head === '' ? [] : head.split(':');
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length);
  const all = [...groups, ...Array<string>(Math.max(0, missing)).fill('0'), ...(tail ? tail.split(':') : [])];
  return `${all.slice(0, 4).join(':')}::/64`;
}
