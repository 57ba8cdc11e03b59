// One API server for all the test files of a Vitest worker, which starts with the first file that asks for it and ends with the
// worker. A file that uses it makes its objects in namespaces of its own, and may kill, restart and compact the server
// while it runs, because a worker runs one file at a time. A file that changes what belongs to no namespace (the
// FlashSale resource, cluster roles) calls startApiServer() instead.

import { type ApiServer, startApiServer } from './apiserver.ts';

let started: Promise<ApiServer> | undefined;

/** The answer's `stop` ends nothing but the clients that this file has connected. */
export async function sharedApiServer(): Promise<ApiServer> {
  started ??= startForWorker();
  const server = await started;
  // A test that failed halfway may have left it killed.
  const answers = await server.ask('GET', '/version').then(
    () => true,
    () => false,
  );
  if (!answers) await server.restart();
  return { ...server, stop: () => server.disconnect() };
}

function startForWorker(): Promise<ApiServer> {
  // Vitest ends its workers by SIGTERM, which runs no exit handlers unless somebody handles it.
  process.once('SIGTERM', () => process.exit());
  return startApiServer();
}
