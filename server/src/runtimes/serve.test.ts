import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, type ClientRequest, get, type IncomingMessage, type RequestOptions } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, test } from 'node:test';
import type { Log } from '../context.ts';
import { type NodeOptions, type RunningServer, startNode } from './serve.ts';
import { StartRefused } from './start-refused.ts';

const silent: Log = { info() {}, warn() {}, error() {} };
const started: RunningServer[] = [];
async function start(options: Partial<NodeOptions>): Promise<RunningServer> {
  const running = await startNode({ port: 0, host: '127.0.0.1', log: silent, fetch: async () => new Response('ok'), ...options });
  started.push(running);
  return running;
}
// Also after a failed assertion: an open socket would keep the test process.
afterEach(() => Promise.all(started.splice(0).map((running) => running.stop({ drainSeconds: 0 }))));

async function send(url: string, options: RequestOptions = {}): Promise<{ status: number; headers: IncomingMessage['headers']; body: string }> {
  const request: ClientRequest = get(url, options);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) };
}

for (const kind of ['fetch', 'answer'] as const) {
  const echo: Partial<NodeOptions> =
    kind === 'fetch'
      ? { fetch: async (_request, { address }) => new Response(address) }
      : { answer: async (_request, { address }) => ({ status: 200, headers: { 'Content-Type': 'text/plain' }, body: address }) };

  test(`[RATE-04] over a socket, ${kind} gets the address of the peer whatever headers say, until that peer is a configured proxy`, async () => {
    const headers = { 'X-Forwarded-For': '198.51.100.1', Forwarded: 'for=198.51.100.2', 'X-Real-IP': '198.51.100.3', 'CF-Connecting-IP': '198.51.100.4' };
    const open = await start(echo);
    const behind = await start({ ...echo, trustedProxies: ['127.0.0.0/8'] });

    assert.equal((await send(open.url, { headers })).body, '127.0.0.1');
    assert.equal((await send(behind.url, { headers })).body, '198.51.100.1');
    assert.equal((await send(behind.url)).body, '127.0.0.1');
    await Promise.all([open.stop(), behind.stop()]);
  });
}

test('an answer that fails, at once or later, ends its own connection and no other', async () => {
  const failing: NodeOptions['answer'] = ({ url }) => {
    if (url.endsWith('/at-once')) throw new Error('at once');
    if (url.endsWith('/later')) return Promise.reject(new Error('later'));
    const headers: Record<string, string> = url.endsWith('/header') ? { 'X-Bad': 'a\nb' } : {};
    return { status: 200, headers, body: 'good' };
  };
  const running = await start({ answer: failing });

  const sent = await Promise.allSettled(['/at-once', '/good', '/later', '/header', '/good'].map((path) => send(running.url + path)));

  assert.deepEqual(
    sent.map((one) => (one.status === 'fulfilled' ? one.value.body : 'ended')),
    ['ended', 'good', 'ended', 'ended', 'good'],
  );
});

test('localhost answers on both loopback addresses and nowhere else', async () => {
  const running = await start({ host: 'localhost' });

  assert.equal((await send(`http://127.0.0.1:${running.port}`)).status, 200);
  assert.equal((await send(running.url)).status, 200);
  await running.stop();
});

test('a stop flips readiness, lets the running request finish, and only then writes last uses and closes the database', async () => {
  const order: string[] = [];
  let arrived: () => void = () => {};
  let finish: () => void = () => {};
  const here = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const gate = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const running = await start({
    fetch: async () => {
      arrived();
      await gate;
      order.push('answered');
      return new Response('slow');
    },
    flush: async () => void order.push('flushed'),
    settle: async () => void order.push('settled'),
    close: async () => void order.push('closed'),
  });
  const agent = new Agent({ keepAlive: true });
  const slow = send(running.url, { agent });
  await here;
  const idle = connect(running.port, '127.0.0.1');
  await once(idle, 'connect');

  const stopped = running.stop({ drainSeconds: 0.2 });
  const ready = await send(`${running.url}/health/ready`);
  assert.deepEqual([ready.status, ready.headers.connection], [503, 'close']);
  finish();
  assert.equal((await slow).body, 'slow');
  idle.destroy();
  await stopped;

  assert.deepEqual(order, ['answered', 'flushed', 'settled', 'closed']);
  await assert.rejects(send(running.url), { code: 'ECONNREFUSED' });
  await running.stop();
  assert.deepEqual(order, ['answered', 'flushed', 'settled', 'closed']);
  agent.destroy();
});

test('a request that never ends does not keep the process', async () => {
  const running = await start({ fetch: () => new Promise(() => {}), finishSeconds: 0.05 });
  const hanging = send(running.url).catch((error: unknown) => error);
  const socket = connect(running.port, '127.0.0.1').on('error', () => {});
  await once(socket, 'connect');

  await running.stop();

  assert.ok((await hanging) instanceof Error);
});

test('a taken port and a foreign address are refused with what to do', async () => {
  const running = await start({});

  await assert.rejects(start({ port: running.port }), (error) => error instanceof StartRefused && error.fix.includes(`--port ${running.port + 1}`));
  await assert.rejects(start({ host: '203.0.113.1' }), (error) => error instanceof StartRefused && error.message.includes('203.0.113.1'));
  await assert.rejects(start({ trustedProxies: ['everybody'] }), TypeError);
  await running.stop();
});
