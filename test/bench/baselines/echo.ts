// Bare node:http: reads the body and answers a small JSON. The most a Node server could do.
import { createServer } from 'node:http';

createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk: string) => {
    body += chunk;
  });
  request.on('end', () => {
    const answer = JSON.stringify({ bytes: body.length });
    response
      .writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(answer) })
      .end(answer);
  });
}).listen(Number(process.argv[2]), '127.0.0.1');
