/**
 * More requests than the server can have in hand: what is refused is refused at once and says when to come back, what is cheap goes on, and all is well afterwards.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { type DooredDatabase, dooredDatabase } from '../../test/doored-database.ts';
import { type Stage, stage } from '../../test/flows/token-stage.ts';
import { exchange, rawSocket, statusesOf } from '../../test/raw-socket.ts';
import { type Answerer, listener, pressure } from './node-http.ts';
import { type RunningServer, startNode } from './serve.ts';

const head = (...lines: string[]) => `${lines.join('\r\n')}\r\n\r\n`;
const get = (path: string, ...more: string[]) => head(`GET ${path} HTTP/1.1`, 'Host: a', 'Connection: close', ...more);

describe('too many requests at once', () => {
  let database: DooredDatabase;
  let on: Stage;
  let running: RunningServer;
  let ask: string;
  before(async () => {
    database = await dooredDatabase();
    on = await stage({ driver: database.driver });
    const { fetch, answer, options } = on.server;
    running = await startNode({ fetch, answer, port: 0, host: '127.0.0.1', log: options.log, maxRequests: 20, finishSeconds: 1 });
    const key = await on.keyOf();
    const body = 'token=x';
    ask = `${head('POST /introspect HTTP/1.1', 'Host: a', 'Connection: close', `Authorization: Bearer ${key.secret}`, 'Content-Type: application/x-www-form-urlencoded', `Content-Length: ${body.length}`)}${body}`;
    await on.request('/.well-known/jwks.json');
  });
  after(async () => {
    database.open();
    await running.stop();
    await on.close();
  });
  async function filled(): Promise<Promise<string>[]> {
    database.shut();
    const sent = Array.from({ length: 20 }, () => exchange(running.port, ask));
    while (database.waiting() < 20) await exchange(running.port, get('/health'));
    return sent;
  }

  test('[RATE-06] beyond the bound a request is 503 with Retry-After at once, as JSON or as a page; documents, health and assets go on; then all is well', async () => {
    const accepted = await filled();

    const machine = await exchange(running.port, ask);
    const person = await exchange(running.port, get('/login', 'Accept: text/html'));
    const document = await exchange(running.port, get('/.well-known/oauth-authorization-server'));
    const keys = await exchange(running.port, get('/.well-known/jwks.json'));
    const alive = await exchange(running.port, get('/livez'));
    const style = /href="(\/assets\/[^"]+\.css)"/.exec(person)?.[1] ?? '';
    const assets = await exchange(running.port, get(style));

    assert.deepEqual(statusesOf(machine), [503]);
    assert.match(machine, /\r\nRetry-After: \d+\r\n/);
    assert.match(machine, /\{"error":"temporarily_unavailable"/);
    assert.deepEqual(statusesOf(person), [503]);
    assert.match(person, /\r\nRetry-After: \d+\r\n/);
    assert.match(person, /Back in a moment/);
    assert.deepEqual([document, keys, alive, assets].flatMap(statusesOf), [200, 200, 200, 200]);
    database.open();
    for (const answer of await Promise.all(accepted)) assert.deepEqual(statusesOf(answer), [200]);
    assert.deepEqual(statusesOf(await exchange(running.port, ask)), [200]);
  });

  test('what is shed fills no log: one line a second says how many', async () => {
    on.clock.advance(5);
    const accepted = await filled();
    await exchange(running.port, ask);
    on.logged.length = 0;
    for (let shed = 0; shed < 9; shed++) assert.deepEqual(statusesOf(await exchange(running.port, ask)), [503]);
    on.clock.advance(1);
    await exchange(running.port, ask);
    database.open();
    await Promise.all(accepted);

    const [line, ...more] = on.logged.filter((line) => !line.startsWith('info'));
    assert.match(line ?? '', /^warn requests\.shed \{"count":10,"request_id":"req_\w+"\}$/);
    assert.deepEqual(more, []);
  });

  test('[RATE-06] bodies that never come use up nothing of the bound', async () => {
    const unfinished = head(
      'POST /introspect HTTP/1.1',
      'Host: a',
      'Content-Type: application/x-www-form-urlencoded',
      'Expect: 100-continue',
      'Content-Length: 50',
    );
    const slow = Array.from({ length: 40 }, () => rawSocket(running.port, unfinished));
    await Promise.all(slow.map((socket) => socket.until(/100 Continue/)));

    assert.deepEqual(statusesOf(await exchange(running.port, ask)), [200]);
    for (const { socket } of slow) socket.destroy();
    await Promise.all(slow.map((socket) => socket.ended()));
    assert.deepEqual(statusesOf(await exchange(running.port, ask)), [200]);
  });

  test('[RATE-06] a request whose body never comes and is never read counts from its beginning', async () => {
    const withBody = get('/t/acme/login', 'Content-Length: 1');
    database.shut();
    const hidden = Array.from({ length: 20 }, () => rawSocket(running.port, withBody));
    while (database.waiting() < 20) await exchange(running.port, get('/health'));

    assert.deepEqual(statusesOf(await exchange(running.port, ask)), [503]);
    database.open();
    for (const socket of hidden) assert.deepEqual(statusesOf(await socket.until(/\r\n\r\n/)), [404]);
    for (const { socket } of hidden) socket.destroy();
    assert.deepEqual(statusesOf(await exchange(running.port, ask)), [200]);
  });

  test('a caller that hangs up is no longer counted once the store has answered', async () => {
    const accepted = await filled();
    const left = rawSocket(running.port, ask);
    left.socket.destroy();
    database.open();
    await Promise.all(accepted);

    for (let round = 0; round < 3; round++) {
      const again = await filled();
      assert.deepEqual(statusesOf(await exchange(running.port, ask)), [503]);
      database.open();
      for (const answer of await Promise.all(again)) assert.deepEqual(statusesOf(answer), [200]);
    }
  });
});

test('too much is accepted for as long as a burst lasts, then nothing more is begun; far too much is refused then, and the most at once', () => {
  const load = { inFlight: 0, most: 100 };
  let now = 0;
  const pressureOf = pressure(load, () => now);
  const at = (time: number, inFlight: number, waiting = 0) => {
    now = time;
    load.inFlight = inFlight;
    return pressureOf(waiting);
  };

  assert.deepEqual([at(0, 39), at(0, 100), at(0, 60, 40), at(0, 40), at(1000, 99)], [undefined, 'full', 'full', undefined, undefined]);
  assert.deepEqual([at(1001, 40), at(1001, 10, 59), at(1001, 10, 60)], ['busy', 'busy', 'full'], 'for longer than a burst');
  assert.deepEqual(
    [at(1002, 39), at(1500, 40), at(1501, 39), at(2501, 39), at(2502, 40)],
    [undefined, 'busy', undefined, undefined, 'busy'],
    'a short calm does not end it',
  );
  assert.deepEqual(
    [at(2503, 39), at(3504, 0), at(3505, 40), at(4505, 99), at(4506, 40)],
    [undefined, undefined, undefined, undefined, 'busy'],
    'a long one does',
  );
});

test('newcomers are accepted while hundreds of requests wait: a turn of the event loop begins some of them and accepts one', async () => {
  const old = 200;
  let accepted = 0;
  let begun = 0;
  let newcomersAtLast = 0;
  const reply = { status: 204, headers: {}, body: null };
  const answer: Answerer = () => {
    if (++begun === old) newcomersAtLast = accepted - old;
    return reply;
  };
  const load = { inFlight: 0, most: 1000, stopping: false, newcomer: false };
  const server = createServer(listener(answer, () => '', load));
  server.on('connection', () => {
    accepted += 1;
    load.newcomer = true;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const sockets = Array.from({ length: old }, () => rawSocket(port));
  while (accepted < old) await new Promise(setImmediate);

  for (const socket of sockets) socket.write(get('/'));
  const newcomers = Array.from({ length: 20 }, () => rawSocket(port, get('/')));
  await Promise.all([...sockets, ...newcomers].map((socket) => socket.ended()));

  assert.equal(begun, old + newcomers.length);
  assert.ok(newcomersAtLast >= 15, `${newcomersAtLast} were accepted before the last of those who were there`);
  server.close();
});
