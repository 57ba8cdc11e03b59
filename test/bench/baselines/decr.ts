// What one would write by hand for the purchase alone: node:http, ioredis and a script that lowers a counter and
// leaves a token. No identity, no limit, no duplicate clicks, no expiry, no signature.
// Arguments: port, redis port, redis user, redis password.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { Redis } from 'ioredis';

const [port, redisPort, username, password] = process.argv.slice(2);
const redis = new Redis({
  host: '127.0.0.1',
  port: Number(redisPort),
  ...(username && password ? { username, password } : {}),
});
redis.defineCommand('take', {
  numberOfKeys: 2,
  lua: `if tonumber(redis.call('GET', KEYS[1])) < 1 then return 0 end
redis.call('DECR', KEYS[1])
redis.call('SET', KEYS[2], ARGV[1])
return 1`,
});
const take = (redis as unknown as { take: (stock: string, token: string, buyer: string) => Promise<number> }).take.bind(
  redis,
);

createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk: string) => {
    body += chunk;
  });
  request.on('end', async () => {
    JSON.parse(body);
    const token = randomUUID();
    const taken = await take('stock', `token:${token}`, String(request.headers['x-buyer-id']));
    const answer = JSON.stringify(taken === 1 ? { token } : { error: 'sold out' });
    response
      .writeHead(taken === 1 ? 201 : 409, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(answer),
      })
      .end(answer);
  });
}).listen(Number(port), '127.0.0.1');
