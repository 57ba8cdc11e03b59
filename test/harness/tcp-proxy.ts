// A network that fails as networks do: between a client and a server on this machine, it can hold everything back
// without a word, cut every connection, or let nobody in.

import { connect, createServer, type Socket } from 'node:net';

export interface TcpProxy {
  port: number;
  /** Nothing passes any more, in either direction, and nobody is told. New connections are accepted, and silent too. */
  stall(): void;
  /** Connections are refused; those that are there are cut. */
  refuse(): void;
  /** Everything passes; what was held back first. */
  pass(): void;
  /** Connections that were made so far. */
  readonly connections: number;
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';

export async function startTcpProxy(target: number): Promise<TcpProxy> {
  let how: 'pass' | 'stall' | 'refuse' = 'pass';
  let connections = 0;
  const sockets = new Set<Socket>();

  const keep = (socket: Socket, other: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      // A network that holds everything back does not tell of an end either.
      if (how !== 'stall') other.destroy();
    });
    socket.pipe(other, { end: false });
    socket.on('end', () => {
      if (how !== 'stall') other.end();
    });
    if (how === 'stall') socket.pause();
  };
  const server = createServer({ allowHalfOpen: true }, (near) => {
    connections++;
    if (how === 'refuse') return void near.destroy();
    const far = connect({ port: target, host: HOST, allowHalfOpen: true });
    keep(near, far);
    keep(far, near);
  });
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  const address = server.address();

  return {
    port: typeof address === 'object' && address ? address.port : 0,
    stall() {
      how = 'stall';
      for (const socket of sockets) socket.pause();
    },
    refuse() {
      how = 'refuse';
      for (const socket of sockets) socket.destroy();
    },
    pass() {
      how = 'pass';
      for (const socket of sockets) socket.resume();
    },
    get connections() {
      return connections;
    },
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
