/** Event streams through every adapter: they end with the access under which they were opened, and their handlers hear of it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { type TestContext, test } from 'node:test';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { listen, optionsFor, playAuthorizationServer, resource } from '../../test/stage.ts';
import { maxCacheSeconds } from '../token-cache.ts';
import { requireAuth } from './express.ts';
import { protect as protectFetch } from './fetch.ts';
import { authAgentMiddleware } from './hono.ts';
import { protect } from './node.ts';

type Options = ReturnType<typeof optionsFor> & { resource: string };
/** A stream of one handler: what it says, and when it heard that nobody listens any more. */
type Stream = { say(text: string): void; done(): void; ended: Promise<unknown> };
type Start = (t: TestContext, options: Options, opened: (stream: Stream) => void) => Promise<string>;
const require = createRequire(import.meta.url);
const headers = { 'Content-Type': 'text/event-stream; charset=utf-8' };

function webStream(opened: (stream: Stream) => void): Response {
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const body = new ReadableStream({
    start: (controller) => opened({ say: (text) => controller.enqueue(new TextEncoder().encode(text)), done: () => controller.close(), ended }),
    cancel: () => resolve(),
  });
  return new Response(body, { headers });
}

function nodeStream(response: ServerResponse, opened: (stream: Stream) => void): void {
  response.writeHead(200, headers);
  opened({ say: (text) => void response.write(text), done: () => void response.end(), ended: once(response, 'close') });
}

const onHono = (t: TestContext, fetch: (request: Request) => Response | Promise<Response>): Promise<string> =>
  new Promise((resolve) => {
    const server = serve({ overrideGlobalObjects: false, fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => resolve(`http://127.0.0.1:${port}`));
    t.after(() => void server.close());
  });

/** The adapters of node:http, whose handlers answer when they want. */
const onNode = {
  express: (t, options, handler) => {
    const app = (require('express') as () => RequestListener & { use(...handlers: unknown[]): void })();
    app.use(requireAuth(options));
    app.use((_request: IncomingMessage, response: ServerResponse) => handler(response));
    return listen(t, app);
  },
  node: (t, options, handler) =>
    listen(
      t,
      protect(options, (_request, response) => handler(response)),
    ),
} satisfies Record<string, (t: TestContext, options: Options, handler: (response: ServerResponse) => void) => Promise<string>>;

const adapters: Record<string, Start> = {
  hono: (t, options, opened) => {
    const app = new Hono();
    app.use('*', authAgentMiddleware(options));
    app.get('/mcp', () => webStream(opened));
    return onHono(t, (request) => app.fetch(request));
  },
  fetch: (t, options, opened) =>
    onHono(
      t,
      protectFetch(options, () => webStream(opened)),
    ),
  express: (t, options, opened) => onNode.express(t, options, (response) => nodeStream(response, opened)),
  node: (t, options, opened) => onNode.node(t, options, (response) => nodeStream(response, opened)),
};

for (const [name, start] of Object.entries(adapters)) {
  test(`[RS-10] a stream ends within ${maxCacheSeconds} seconds of its access, and its handler hears of it (${name})`, async (t) => {
    const { looks, read, stream, played } = await opened(t, start);
    assert.equal(await read(), 'data: 1\n\n');

    await looks.shift()?.();
    stream.say('data: 2\n\n');
    assert.equal(await read(), 'data: 2\n\n');

    played.reply = () => ({ body: { active: false } });
    await looks.shift()?.();
    assert.equal(await read(), undefined);
    await stream.ended;
    assert.deepEqual([looks.length, played.asked('/introspect')], [0, 3]);
  });

  test(`a stream that ends by itself is looked at no more (${name})`, async (t) => {
    const { looks, stopped, read, stream } = await opened(t, start);
    assert.equal(await read(), 'data: 1\n\n');

    stream.done();
    assert.equal(await read(), undefined);
    await stopped;
    assert.equal(looks.length, 1);
  });
}

for (const [name, start] of Object.entries(onNode)) {
  test(`a stream that begins after its caller hung up is not looked at (${name})`, async (t) => {
    const { looks } = looksOf(t);
    const played = await playAuthorizationServer(t);
    const { promise: handled, resolve: handle } = Promise.withResolvers<ServerResponse>();
    const url = await start(t, { ...optionsFor(played), resource }, handle);
    const caller = new AbortController();
    const hungUp = assert.rejects(fetch(`${url}/mcp`, { headers: { Authorization: 'Bearer abc' }, signal: caller.signal }));
    const response = await handled;
    const closed = once(response, 'close');
    caller.abort();
    await Promise.all([hungUp, closed]);

    response.writeHead(200, headers);

    assert.equal(looks.length, 0);
  });
}

test('a stream that nobody reads is not looked at: Hono drops the body of a HEAD', async (t) => {
  const { looks } = looksOf(t);
  const played = await playAuthorizationServer(t);
  const app = new Hono();
  app.use('*', authAgentMiddleware({ ...optionsFor(played), resource }));
  app.get('/mcp', () => webStream(() => {}));

  const response = await app.request('/mcp', { method: 'HEAD', headers: { Authorization: 'Bearer abc' } });

  assert.deepEqual([response.status, response.body, looks.length], [200, null, 0]);
});

/** A look is made when the test makes it. */
function looksOf(t: TestContext) {
  const looks: (() => Promise<void>)[] = [];
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
  const [set, clear] = [globalThis.setTimeout, globalThis.clearTimeout];
  const ours = set(() => {}, 0);
  t.mock.method(globalThis, 'setTimeout', (act: () => Promise<void>, ms: number, ...rest: unknown[]) => {
    if (ms !== maxCacheSeconds * 1000) return set(act, ms, ...rest);
    looks.push(act);
    return ours;
  });
  t.mock.method(globalThis, 'clearTimeout', (timer: NodeJS.Timeout) => (timer === ours ? stop() : clear(timer)));
  return { looks, stopped };
}

/** Opens a stream that has said one thing. */
async function opened(t: TestContext, start: Start) {
  const { looks, stopped } = looksOf(t);
  const played = await playAuthorizationServer(t);
  const { promise: handled, resolve: handle } = Promise.withResolvers<Stream>();
  const url = await start(t, { ...optionsFor(played), resource }, handle);
  const response = fetch(`${url}/mcp`, { headers: { Authorization: 'Bearer abc' } });
  const stream = await handled;
  stream.say('data: 1\n\n');
  const reader = ((await response).body as ReadableStream<Uint8Array>).getReader();
  // Node hangs up, so the caller's read fails; the others end the stream. Both are the end.
  const read = () =>
    reader.read().then(
      ({ value }) => value && new TextDecoder().decode(value),
      () => undefined,
    );
  return { looks, stopped, read, stream, played };
}
