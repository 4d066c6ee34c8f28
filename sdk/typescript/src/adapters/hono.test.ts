import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { activeAnswer, optionsFor, type PlayedServer, playAuthorizationServer, resource } from '../../test/stage.ts';
import { AuthorizationError } from '../errors.ts';
import { authAgentMiddleware, protectedResourceMetadata, requireAnyScope, requireScope } from './hono.ts';

const bearer = { Authorization: 'Bearer abc' };

test('[RS-20] the handler knows on whose behalf it is called', async (t) => {
  const { app } = await stand(t);
  app.get('/api/files', (c) => c.json({ email: c.get('user').email, scopes: c.get('user').scopes }));

  const response = await app.request('/api/files', { headers: bearer });

  assert.deepEqual(await response.json(), { email: 'testuser@example.com', scopes: ['files:read'] });
  assert.equal(response.headers.get('cache-control'), 'no-store');
  assert.equal(response.headers.get('vary'), 'Authorization');
});

test('[RS-01] [RS-18] nothing behind the middleware is reached without a token, not even what does not exist', async (t) => {
  const { app } = await stand(t);
  app.all('*', (c) => c.text('reached'));

  for (const path of ['/', '/mcp', '/nothing', '//mcp', '/mcp%2f', '/health']) assert.equal((await app.request(path)).status, 401, path);
});

test('[RS-18] [CORS-08] OPTIONS never reaches a handler that takes all methods', async (t) => {
  const { app } = await stand(t);
  app.all('*', (c) => c.text('reached'));

  const response = await app.request('/mcp', { method: 'OPTIONS' });

  assert.equal(response.status, 204);
  assert.equal(await response.text(), '');
});

test('[RS-18] public paths are open, and a scope gate on one still asks for a token', async (t) => {
  const played = await playAuthorizationServer(t);
  const app = new Hono();
  app.use('*', authAgentMiddleware({ ...optionsFor(played), resource, publicPaths: ['/health', '/mistake'] }));
  app.get('/health', (c) => c.text('ok'));
  app.get('/mistake', requireScope('files:read'), (c) => c.text('reached'));

  assert.equal(await (await app.request('/health')).text(), 'ok');
  assert.equal((await app.request('/mistake')).status, 401);
});

test('[RS-03] [RS-13] a route that needs more says everything it needs in one 403', async (t) => {
  const { app, played } = await stand(t);
  app.post('/api/files', requireScope('files:write', 'db:write'), (c) => c.text('written'));

  const refused = await app.request('/api/files', { method: 'POST', headers: bearer });
  played.reply = () => ({ body: activeAnswer(played.url, { scope: 'files:read files:write db:write' }) });
  const allowed = await app.request('/api/files', { method: 'POST', headers: { Authorization: 'Bearer stepped-up' } });

  assert.equal(refused.status, 403);
  assert.equal(
    refused.headers.get('www-authenticate'),
    'Bearer error="insufficient_scope", scope="files:read files:write db:write", resource_metadata="https://files.example.com/.well-known/oauth-protected-resource/mcp"',
  );
  assert.equal(await allowed.text(), 'written');
});

test('[RS-11] one of several scopes suffices where a route says so', async (t) => {
  const { app } = await stand(t);
  app.get('/some', requireAnyScope('files:list', 'files:read'), (c) => c.text('ok'));
  app.get('/other', requireAnyScope('db:read', 'db:write'), (c) => c.text('ok'));

  assert.equal((await app.request('/some', { headers: bearer })).status, 200);
  const refused = await app.request('/other', { headers: bearer });
  assert.match(refused.headers.get('www-authenticate') ?? '', /scope="files:read db:read"/);
});

test('a scope gate without the middleware fails closed', async () => {
  const app = new Hono();
  app.onError((error, c) => c.text(error.message, 500));
  app.get('/', requireScope('files:read'), (c) => c.text('reached'));

  const response = await app.request('/');

  assert.equal(response.status, 500);
  assert.match(await response.text(), /must run behind authAgentMiddleware/);
  assert.throws(() => requireScope('a b'), { name: 'TypeError', message: /requireScope/ });
  assert.throws(() => (requireAnyScope as () => unknown)(), TypeError);
});

test('[RS-03] an error of ours that a handler throws becomes its challenge, unless the app chose another answer', async (t) => {
  const { app } = await stand(t);
  app.get('/throws', () => {
    throw new AuthorizationError(['files:delete']);
  });
  const silence = t.mock.method(console, 'error', () => undefined);

  const challenged = await app.request('/throws', { headers: bearer });
  app.onError((_error, c) => c.text('mine', 418));
  const own = await app.request('/throws', { headers: bearer });

  assert.equal(challenged.status, 403);
  assert.match(challenged.headers.get('www-authenticate') ?? '', /scope="files:delete"/);
  assert.equal(challenged.headers.get('content-type'), 'application/json');
  assert.deepEqual([own.status, await own.text()], [418, 'mine']);
  silence.mock.restore();
});

test('[RS-16] the tool is known before the handler runs, and the body is still whole for it, on a real socket', async (t) => {
  const played = await playAuthorizationServer(t);
  const app = new Hono();
  app.use('*', authAgentMiddleware({ ...optionsFor(played), resource, requiredScopes: ['files:read'], toolScopes: { write_file: ['files:write'] } }));
  app.post('/raw', async (c) => c.text(await c.req.raw.text()));
  app.post('/json', async (c) => c.json(await c.req.json()));
  const url = await serveApp(t, app);
  const call = (path: string, name: string) =>
    fetch(url + path, {
      method: 'POST',
      headers: { ...bearer, 'Content-Type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name } }),
    });

  assert.equal((await call('/raw', 'write_file')).status, 403);
  assert.match(await (await call('/raw', 'read_file')).text(), /"name":"read_file"/);
  assert.match(await (await call('/json', 'read_file')).text(), /"name":"read_file"/);
});

test('[RS-16] a body that an earlier middleware has read is decided upon all the same', async (t) => {
  const played = await playAuthorizationServer(t);
  const app = new Hono();
  app.use('*', async (c, next) => {
    await c.req.json();
    await next();
  });
  app.use('*', authAgentMiddleware({ ...optionsFor(played), resource, toolScopes: { write_file: ['files:write'] } }));
  app.post('/', async (c) => c.json(await c.req.json()));
  const call = (name: string) => app.request('/', { method: 'POST', headers: bearer, body: JSON.stringify({ method: 'tools/call', params: { name } }) });

  assert.equal((await call('write_file')).status, 403);
  assert.deepEqual(await (await call('read_file')).json(), { method: 'tools/call', params: { name: 'read_file' } });
});

test('[RS-04] two Authorization headers are refused on a real socket', async (t) => {
  const { app } = await stand(t);
  app.get('/', (c) => c.text('reached'));
  const url = await serveApp(t, app);

  const response = await fetch(url, {
    headers: [
      ['Authorization', 'Bearer abc'],
      ['Authorization', 'Bearer def'],
    ],
  });

  assert.equal(response.status, 400);
});

test('[PRM-02] [PRM-12] several servers in one app: a document each, a token for one is refused at the other', async (t) => {
  const played = await playAuthorizationServer(t);
  const shared = { ...optionsFor(played), sharedHost: true };
  const a = { ...shared, serverId: 'srv_a', resource: 'https://h.example.com/a' };
  const b = { ...shared, serverId: 'srv_b', resource: 'https://h.example.com/b' };
  const app = new Hono();
  app.use(protectedResourceMetadata(a, b));
  app.use('/a', authAgentMiddleware(a));
  app.use('/b', authAgentMiddleware(b));
  app.all('*', (c) => c.text('reached'));
  played.reply = () => ({ body: activeAnswer(played.url, { aud: 'https://h.example.com/a' }) });

  assert.equal((await app.request('/a', { headers: bearer })).status, 200);
  assert.equal((await app.request('/b', { headers: bearer })).status, 401);
  assert.equal((await app.request('/.well-known/oauth-protected-resource')).status, 404);
  const document = (await (await app.request('/.well-known/oauth-protected-resource/b')).json()) as { resource: string };
  assert.equal(document.resource, 'https://h.example.com/b');
});

test('[RS-23] a stream passes untouched, sealed', async (t) => {
  const { app } = await stand(t);
  const events = () => new Blob(['data: 1\n\n']).stream();
  app.get('/', () => new Response(events(), { headers: { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache, no-transform' } }));

  const response = await app.request('/', { headers: bearer });

  assert.equal(await response.text(), 'data: 1\n\n');
  assert.equal(response.headers.get('cache-control'), 'no-store, no-transform');
});

async function stand(t: TestContext): Promise<{ app: Hono; played: PlayedServer }> {
  const played = await playAuthorizationServer(t);
  const app = new Hono();
  app.use('*', authAgentMiddleware({ ...optionsFor(played), resource, requiredScopes: ['files:read'] }));
  return { app, played };
}

async function serveApp(t: TestContext, app: Hono): Promise<string> {
  const port = await new Promise<number>((resolve) => {
    const server = serve({ overrideGlobalObjects: false, fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, (info) => resolve(info.port));
    t.after(() => server.close());
  });
  return `http://127.0.0.1:${port}`;
}
