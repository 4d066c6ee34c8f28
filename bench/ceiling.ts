/**
 * The ceiling: a bare node:http server that reads the whole body and answers fixed JSON. `/4711` answers 4711 bytes. What it reaches is what any server on
 * this Node could reach that does nothing else. `/scrypt` costs one password hash before that.
 */
import { randomBytes, scrypt } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Read, so that reading costs what it costs everywhere. */
let received = 0;
const answers = new Map<string, string>();

const server = createServer((request, response) => {
  request.setEncoding('utf8');
  request.on('data', (chunk: string) => {
    received += chunk.length;
  });
  request.on('end', () => {
    const path = request.url ?? '/0';
    const answer = () => {
      const text = fixed(path);
      response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', 'Content-Length': text.length });
      response.end(text);
    };
    // The cost of one password hash of the server (crypto/password.ts), on the same worker threads.
    if (path === '/scrypt') scrypt('correct horse battery staple', randomBytes(16), 32, { N: 2 ** 15, r: 8, p: 3, maxmem: 2 ** 27 }, answer);
    else answer();
  });
});

function fixed(path: string): string {
  const known = answers.get(path);
  if (known) return known;
  const made = JSON.stringify({ a: 'x'.repeat(Math.max(0, Number(path.slice(1)) - 8)) });
  answers.set(path, made);
  return made;
}

server.listen(0, '127.0.0.1', () => process.send?.({ received, ready: (server.address() as AddressInfo).port }));
process.on('disconnect', () => process.exit());
