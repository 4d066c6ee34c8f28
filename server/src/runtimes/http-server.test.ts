/**
 * What this server does with callers that are slow, endless, contradictory or many: over real sockets, byte for byte, on the Node runtime.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { type TestServer, testServer } from '../../test/harness.ts';
import { exchange, rawSocket, statusesOf } from '../../test/raw-socket.ts';
import { endSilent, type Patience } from './http-server.ts';
import { type RunningServer, startNode } from './serve.ts';

const head = (...lines: string[]) => `${lines.join('\r\n')}\r\n\r\n`;
const health = head('GET /health HTTP/1.1', 'Host: a', 'Connection: close');
const formType = 'Content-Type: application/x-www-form-urlencoded';
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;

describe('the bounds of HTTP', () => {
  let on: TestServer;
  let running: RunningServer;
  let hasty: RunningServer;
  before(async () => {
    on = await testServer();
    running = await listen();
    hasty = await listen({ headers: 400, request: 700, check: 50 });
  });
  after(async () => {
    await Promise.all([running.stop(), hasty.stop()]);
    await on.close();
  });
  const listen = (patience?: Partial<Patience>) =>
    startNode({ answer: on.server.answer, fetch: on.server.fetch, port: 0, host: '127.0.0.1', log: on.server.options.log, finishSeconds: 1, patience });

  const refused: [what: string, sent: string, status: number][] = [
    ['no HTTP at all', 'hello\r\n\r\n', 400],
    ['a line break alone inside a header', 'GET /health HTTP/1.1\r\nHost: a\r\nX: a\nY b\r\n\r\n', 400],
    ['no Host', head('GET /health HTTP/1.1'), 400],
    ['two hosts', head('GET /health HTTP/1.1', 'Host: a', 'X: y', 'hOST: b'), 400],
    ['a space before the colon', head('GET /health HTTP/1.1', 'Host : a'), 400],
    ['two lengths', head('POST /token HTTP/1.1', 'Host: a', 'Content-Length: 3', 'Content-Length: 4'), 400],
    ['a length and chunks', `${head('POST /token HTTP/1.1', 'Host: a', 'Content-Length: 3', 'Transfer-Encoding: chunked')}${chunk('a=b')}`, 400],
    ['a length that is none', head('POST /token HTTP/1.1', 'Host: a', 'Content-Length: -1'), 400],
    ['another coding after chunks', head('POST /token HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked, identity'), 400],
    ['a chunk without a size', `${head('POST /token HTTP/1.1', 'Host: a', formType, 'Transfer-Encoding: chunked')}zz\r\n`, 400],
    ['endless extensions of a chunk', `${head('POST /token HTTP/1.1', 'Host: a', formType, 'Transfer-Encoding: chunked')}1;${'x'.repeat(20_000)}`, 413],
    ['an absolute address, as to a proxy', head('GET http://evil.example/health HTTP/1.1', 'Host: a', 'Connection: close'), 400],
    ['an address beyond 8 KiB', head(`GET /login?${'x'.repeat(8200)} HTTP/1.1`, 'Host: a', 'Connection: close'), 414],
    ['an address beyond all headers together', head(`GET /login?${'x'.repeat(20_000)} HTTP/1.1`, 'Host: a'), 431],
    ['a huge header', head('GET /health HTTP/1.1', 'Host: a', `X: ${'x'.repeat(20_000)}`), 431],
    ['an endless header', `GET /health HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}`, 431],
    ['headers without number', head('GET /health HTTP/1.1', 'Host: a', ...Array.from({ length: 200 }, (_, i) => `X${i}: 1`)), 431],
    ['a body announced too large', `${head('POST /token HTTP/1.1', 'Host: a', formType, 'Content-Length: 65537')}a=b`, 413],
    ['a body that turns out too large', `${head('POST /token HTTP/1.1', 'Host: a', formType, 'Transfer-Encoding: chunked')}${chunk('x'.repeat(66_000))}`, 413],
    ['too many parameters', post('/token', Array.from({ length: 101 }, (_, i) => `p${i}=1`).join('&')), 400],
    [
      'a large body with the question whether it may come',
      head('POST /token HTTP/1.1', 'Host: a', formType, 'Expect: 100-continue', 'Content-Length: 9999999'),
      413,
    ],
    ['another expectation', head('POST /token HTTP/1.1', 'Host: a', formType, 'Expect: 200-ok', 'Content-Length: 0', 'Connection: close'), 417],
  ];
  for (const [what, sent, status] of refused) {
    test(`[RATE-06] ${what} is ${status}, and the connection ends`, async () => {
      assert.deepEqual(statusesOf(await exchange(running.port, sent)), [status]);
      assert.deepEqual(statusesOf(await exchange(running.port, health)), [200]);
    });
  }

  test('[RATE-06] a hundred requests of one connection wait for those before them; where more are sent at once it ends', async () => {
    const one = head('GET /health HTTP/1.1', 'Host: a');

    assert.deepEqual(statusesOf(await exchange(running.port, one.repeat(99) + health)), Array(100).fill(200));
    assert.ok(statusesOf(await exchange(running.port, one.repeat(1500) + health)).length <= 101);
    assert.deepEqual(statusesOf(await exchange(running.port, health)), [200]);
  });

  test('[RATE-06] what is left of a refused body is never read as the next request', async () => {
    const smuggled = head('GET /health HTTP/1.1', 'Host: a');
    const sent = `${head('POST /token HTTP/1.1', 'Host: a', formType, 'Content-Length: 70000')}${smuggled}`;

    assert.deepEqual(statusesOf(await exchange(running.port, sent)), [413]);
  });

  test('who asks whether a body may come is told to go on when it may', async () => {
    const socket = rawSocket(running.port, head('POST /token HTTP/1.1', 'Host: a', formType, 'Expect: 100-continue', 'Content-Length: 5', 'Connection: close'));
    assert.deepEqual(statusesOf(await socket.until(/100 Continue\r\n\r\n/)), [100]);
    socket.write('a=b&c');

    assert.deepEqual(statusesOf(await socket.ended()), [100, 400]);
  });

  test('HTTP/1.0 is answered and its connection ends', async () => {
    const answer = await exchange(running.port, 'GET /health HTTP/1.0\r\n\r\n');

    assert.deepEqual(statusesOf(answer), [200]);
    assert.match(answer, /Connection: close/i);
    assert.match(answer, /\{"status":"ok"\}$/);
  });

  test('pipelined requests are answered in their order, each once', async () => {
    const one = (path: string) => head(`GET ${path} HTTP/1.1`, 'Host: a');
    const paths = ['/health', '/nothing', '/health', '/health/ready', '/nothing'];
    const sent = Array.from({ length: 20 }, () => paths.map(one).join('')).join('') + health;

    const statuses = statusesOf(await exchange(running.port, sent));

    assert.deepEqual(statuses, [...Array.from({ length: 20 }, () => [200, 404, 200, 200, 404]).flat(), 200]);
  });

  test('[RATE-06] headers that trickle in are 408, a connection that says nothing ends', async () => {
    const trickling = rawSocket(hasty.port, 'GET /health HTTP/1.1\r\nHost: a\r\nX');
    const silent = rawSocket(hasty.port);

    assert.deepEqual(statusesOf(await trickling.ended()), [408]);
    assert.doesNotMatch(await silent.ended(), / 200 /);
  });

  test('[RATE-06] a body that does not come is 408, is no error of ours, and changes nothing', async () => {
    on.logged.length = 0;
    const announced = exchange(hasty.port, `${head('POST /token HTTP/1.1', 'Host: a', formType, 'Content-Length: 100')}grant_type=`);
    const chunked = exchange(hasty.port, `${head('POST /token HTTP/1.1', 'Host: a', formType, 'Transfer-Encoding: chunked')}${chunk('grant_type=')}`);

    assert.deepEqual([statusesOf(await announced), statusesOf(await chunked)], [[408], [408]]);
    assert.deepEqual(
      on.logged.filter((line) => line.startsWith('error')),
      [],
    );
    assert.equal(on.logged.filter((line) => line.startsWith('info request.cut_off')).length, 2);
  });

  test('[RATE-06] a caller that goes away in the middle of a body is no error of ours', async () => {
    on.logged.length = 0;
    const socket = rawSocket(running.port, `${head('POST /token HTTP/1.1', 'Host: a', formType, 'Content-Length: 100', 'Expect: 100-continue')}`);
    await socket.until(/100 Continue/);
    socket.write('grant_type=');
    socket.socket.destroy();
    await socket.ended();
    while (on.logged.length === 0) await exchange(running.port, health);

    assert.match(on.logged.join(), /^info request\.cut_off .*"route":"\/token"/);
  });

  test('an idle connection ends after its answer', async () => {
    const short = await listen({ silence: 50, check: 10 });

    assert.deepEqual(statusesOf(await exchange(short.port, head('GET /health HTTP/1.1', 'Host: a'))), [200]);
    await short.stop();
  });

  test('a connection ends once nothing has moved for as long as silence may last, and not before', async () => {
    const listening = createServer().listen(0, '127.0.0.1');
    await once(listening, 'listening');
    const caller = connect((listening.address() as AddressInfo).port, '127.0.0.1');
    const [socket] = (await once(listening, 'connection')) as [Socket];
    const seen = { socket, bytes: 0, at: 0 };
    const look = (now: number) => endSilent([seen], 100, now);
    const says = async () => {
      caller.write('x');
      await once(socket, 'data');
    };

    look(500);
    assert.ok(!socket.destroyed, 'one that has said nothing yet is not ours to end');
    await says();
    for (const now of [600, 699]) look(now);
    await says();
    for (const now of [700, 799]) look(now);
    assert.ok(!socket.destroyed);
    look(800);
    assert.ok(socket.destroyed);
    caller.destroy();
    listening.close();
  });

  test('[RATE-06] a reader that stopped reading does not keep its connection, one that reads slowly does', async () => {
    const long = await startNode({
      fetch: () => new Response('x'.repeat(20_000_000)),
      port: 0,
      host: '127.0.0.1',
      log: on.server.options.log,
      patience: { silence: 1000, check: 20 },
    });
    const ask = () => rawSocket(long.port, head('GET / HTTP/1.1', 'Host: a', 'Connection: close'));
    const [stopped, slow] = [ask(), ask()];
    stopped.socket.pause();
    slow.socket.on('data', () => {
      slow.socket.pause();
      // Three seconds for three hundred pieces: a reader that stopped is noticed after two silences at the latest.
      setTimeout(() => slow.socket.resume(), 10);
    });

    const read = await slow.ended();
    stopped.socket.resume();
    const left = await stopped.ended();
    await long.stop();
    assert.deepEqual([read.length > 20_000_000, left.length < 20_000_000], [true, true]);
  });

  test('[RATE-06] whatever bytes come, they are refused or answered, and the next caller is served', async () => {
    const part = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('GET ', 'POST ', '/token', '/health', ' HTTP/1.1', ' HTTP/1.0', '\r\n', '\r\n\r\n', 'Host: a\r\n', 'Content-Length: 5\r\n'),
      fc.constantFrom('Transfer-Encoding: chunked\r\n', '0\r\n\r\n', 'Expect: 100-continue\r\n', 'Upgrade: websocket\r\nConnection: upgrade\r\n', 'a=b'),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 12 }), async (parts) => {
        const socket = rawSocket(hasty.port, parts.join(''));
        const statuses = statusesOf(await socket.ended());
        assert.ok(
          statuses.every((status) => status < 500),
          String(statuses),
        );
      }),
      { numRuns: 40 },
    );
    assert.deepEqual(statusesOf(await exchange(hasty.port, health)), [200]);
  });

  test('a tunnel is refused', async () => {
    assert.deepEqual(statusesOf(await exchange(running.port, head('CONNECT evil.example:443 HTTP/1.1', 'Host: evil.example:443'))), []);
  });
});

function post(path: string, body: string): string {
  return `${head(`POST ${path} HTTP/1.1`, 'Host: a', formType, `Content-Length: ${body.length}`, 'Connection: close')}${body}`;
}
