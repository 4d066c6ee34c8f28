import assert from 'node:assert/strict';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import type { AuthInfo } from '@modelcontextprotocol/sdk/server/auth/types.js';
import { activeAnswer, listen, optionsFor, type PlayedServer, playAuthorizationServer, resource } from '../../test/stage.ts';
import { AuthorizationError } from '../errors.ts';
import type { AuthAgentOptions } from '../options.ts';
import { authErrors, type ExpressMiddleware, type ExpressRequest, protectedResourceMetadata, requireAnyScope, requireAuth, requireScope } from './express.ts';

/** The little of Express 5 that is used here; its types are not installed. */
type App = RequestListener & {
  use(...handlers: unknown[]): void;
  get(path: string, ...handlers: unknown[]): void;
  post(path: string, ...handlers: unknown[]): void;
  all(path: string, ...handlers: unknown[]): void;
};
type Reply = { json(body: unknown): void; send(body: string): void; set(name: string, value: string): Reply };
type Express = (() => App) & { json(): ExpressMiddleware; raw(options: { type: string }): ExpressMiddleware };

const require = createRequire(import.meta.url);
const express = require('express') as Express;
const bearer = { Authorization: 'Bearer abc' };

test('[RS-20] [RS-21] req.user is the context, req.auth what the official SDK hands to tools', async (t) => {
  const { url } = await stand(t, {}, (app) => {
    app.get('/api/tasks', (request: ExpressRequest, response: Reply) => response.json({ user: request.user?.email, auth: request.auth }));
  });

  const body = (await (await fetch(`${url}/api/tasks`, { headers: bearer })).json()) as { user: string; auth: Record<string, unknown> };

  assert.equal(body.user, 'testuser@example.com');
  assert.deepEqual([body.auth.clientId, body.auth.scopes, typeof body.auth.expiresAt, body.auth.resource], ['client_a', ['files:read'], 'number', resource]);
  assert.notEqual(body.auth.token, 'abc');
});

test('[RS-21] where the official SDK v1 has declared req.auth, the types fit all the same', async (t) => {
  const played = await playAuthorizationServer(t);
  const options = { ...optionsFor(played), resource };
  type Declared = IncomingMessage & { auth?: AuthInfo; user?: object };
  type Handler = (request: Declared, response: ServerResponse, next: (error?: unknown) => void) => void;

  const handlers: Handler[] = [requireAuth(options), requireScope('files:read'), requireAnyScope('files:read'), protectedResourceMetadata(options)];
  const onError: (error: unknown, ...rest: Parameters<Handler>) => void = authErrors();

  assert.deepEqual(
    [...handlers, onError].map((handler) => handler.length),
    [3, 3, 3, 3, 4],
  );
});

test('[RS-01] [RS-18] without a token nothing is reached, by no method and no spelling of the path', async (t) => {
  const { url } = await stand(t, {}, (app) => app.use((_request: ExpressRequest, response: Reply) => response.send('reached')));

  for (const path of ['/', '//mcp', '/mcp/', '/mcp%2f', '/%2e%2e/health']) {
    const response = await fetch(url + path);
    assert.equal(response.status, 401, path);
    assert.match(response.headers.get('www-authenticate') ?? '', /^Bearer realm="srv_abc123", resource_metadata="/);
  }
  assert.equal((await fetch(url, { method: 'HEAD' })).status, 401);
  assert.equal((await fetch(url, { method: 'OPTIONS' })).status, 204);
});

test('[RS-03] [RS-11] scopes of routes: all of them, or one of several', async (t) => {
  const { url } = await stand(t, {}, (app) => {
    const ok = (_request: ExpressRequest, response: Reply) => response.send('ok');
    app.post('/write', requireScope('files:write'), ok);
    app.post('/any', requireAnyScope('files:write', 'files:read'), ok);
  });
  const call = (path: string) => fetch(url + path, { method: 'POST', headers: bearer });

  const refused = await call('/write');
  assert.equal(refused.status, 403);
  assert.match(refused.headers.get('www-authenticate') ?? '', /^Bearer error="insufficient_scope", scope="files:read files:write", resource_metadata="/);
  assert.equal((await call('/any')).status, 200);
});

test('a scope gate without requireAuth fails closed', async (t) => {
  const app = express();
  app.get('/', requireScope('files:read'), (_request: ExpressRequest, response: Reply) => response.send('reached'));
  app.use((error: Error, _request: unknown, response: { status(code: number): Reply }, _next: unknown) => response.status(500).send(error.message));
  const url = await listen(t, app);

  const response = await fetch(url);

  assert.equal(response.status, 500);
  assert.match(await response.text(), /must run behind requireAuth/);
});

test('[RS-04] node drops a second Authorization header: we do not', async (t) => {
  const { url, played } = await stand(t, {}, (app) => app.use((_request: ExpressRequest, response: Reply) => response.send('reached')));

  const response = await fetch(url, {
    headers: [
      ['Authorization', 'Bearer abc'],
      ['Authorization', 'Bearer def'],
    ],
  });

  // fetch joins them; two lines on the wire are tested with a bare socket in node.test.ts.
  assert.equal(response.status, 400);
  assert.equal(played.received.length, 0);
});

test('[RS-04] a second token in a parsed form is refused', async (t) => {
  const played = await playAuthorizationServer(t);
  const app = express();
  app.use((request: ExpressRequest, _response: unknown, next: () => void) => {
    request.body = { access_token: 'def' };
    next();
  });
  app.use(requireAuth({ ...optionsFor(played), resource }));
  const url = await listen(t, app);

  const response = await fetch(url, { method: 'POST', body: new URLSearchParams({ access_token: 'def' }), headers: bearer });

  assert.equal(response.status, 400);
});

test('[RS-16] tools are decided from the parsed body, and without one nothing passes', async (t) => {
  const call = (url: string, name: string) =>
    fetch(url, {
      method: 'POST',
      headers: { ...bearer, 'Content-Type': 'application/json' },
      body: JSON.stringify({ method: 'tools/call', params: { name } }),
    });
  const options = { toolScopes: { write_file: ['files:write'] } };
  const echo = (request: ExpressRequest, response: Reply) => response.json(request.body);
  const parsed = await stand(t, options, (app) => app.use(echo), [express.json()]);
  const unparsed = await stand(t, options, (app) => {
    app.use(echo);
    app.use((_error: Error, _request: unknown, response: { status(code: number): Reply }, _next: unknown) => response.status(500).send('failed'));
  });

  assert.equal((await call(parsed.url, 'write_file')).status, 403);
  assert.deepEqual(await (await call(parsed.url, 'read_file')).json(), { method: 'tools/call', params: { name: 'read_file' } });
  assert.equal((await call(unparsed.url, 'read_file')).status, 500);
});

test('[RS-16] bytes are no parsed body: behind express.raw() nothing passes', async (t) => {
  const { url } = await stand(
    t,
    { toolScopes: { write_file: ['files:write'] } },
    (app) => {
      app.use((_request: ExpressRequest, response: Reply) => response.send('reached'));
      app.use((_error: Error, _request: unknown, response: { status(code: number): Reply }, _next: unknown) => response.status(500).send('failed'));
    },
    [express.raw({ type: '*/*' })],
  );
  const body = JSON.stringify({ method: 'tools/call', params: { name: 'write_file' } });

  const response = await fetch(url, { method: 'POST', headers: { ...bearer, 'Content-Type': 'application/json' }, body });

  assert.equal(response.status, 500);
});

test('a printed request shows neither the API key nor the guard', async (t) => {
  const { url } = await stand(t, {}, (app) => {
    app.use((request: ExpressRequest, response: Reply) => response.send(inspect({ ...request, headers: {}, rawHeaders: [] }, { depth: 6 })));
  });

  const printed = await (await fetch(url, { headers: bearer })).text();

  assert.doesNotMatch(printed, /sk_test_secret|auth-agent guard|auth-agent call/);
});

test('[PRM-01] mounted below a path, the document is still looked for where it was asked for', async (t) => {
  const played = await playAuthorizationServer(t);
  const options = { ...optionsFor(played), resource };
  const app = express();
  app.use(protectedResourceMetadata(options));
  app.use('/mcp', requireAuth(options));
  app.all('/mcp', (_request: ExpressRequest, response: Reply) => response.send('reached'));
  const url = await listen(t, app);

  const document = await fetch(`${url}/.well-known/oauth-protected-resource/mcp`);

  assert.equal(((await document.json()) as { resource: string }).resource, resource);
  assert.equal(document.headers.get('access-control-allow-origin'), '*');
  assert.equal((await fetch(`${url}/mcp/.well-known/oauth-protected-resource`)).status, 401);
  assert.equal((await fetch(`${url}/mcp`, { headers: bearer })).status, 200);
});

test('[RS-23] authenticated answers stay out of shared caches, also those written past Express', async (t) => {
  const { url } = await stand(t, {}, (app) => {
    app.get('/plain', (_request: ExpressRequest, response: Reply) => response.set('Cache-Control', 'public, max-age=60').json({}));
    app.get('/stream', (_request: ExpressRequest, response: import('node:http').ServerResponse) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream', 'cache-control': 'no-cache, no-transform', Vary: 'Accept' });
      response.end('data: 1\n\n');
    });
    app.get('/pairs', (_request: ExpressRequest, response: import('node:http').ServerResponse) => {
      response.writeHead(201, 'Made', ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'Cache-Control', 'public']);
      response.end();
    });
  });
  const get = (path: string) => fetch(url + path, { headers: bearer });

  const [plain, stream, pairs] = [await get('/plain'), await get('/stream'), await get('/pairs')];

  assert.equal(plain.headers.get('cache-control'), 'no-store');
  assert.equal(stream.headers.get('cache-control'), 'no-store, no-transform');
  assert.equal(stream.headers.get('vary'), 'Accept, Authorization');
  assert.equal(stream.headers.get('content-type'), 'text/event-stream');
  assert.equal(pairs.headers.get('cache-control'), 'no-store');
  assert.deepEqual([pairs.status, pairs.statusText, pairs.headers.getSetCookie()], [201, 'Made', ['a=1', 'b=2']]);
});

test('[RS-03] authErrors turns an error of ours into its challenge and leaves others alone', async (t) => {
  const { url } = await stand(t, {}, (app) => {
    app.get('/ours', () => {
      throw new AuthorizationError(['files:delete']);
    });
    app.get('/bug', () => {
      throw new Error('a bug');
    });
    app.use(authErrors());
    app.use((_error: Error, _request: unknown, response: { status(code: number): Reply }, _next: unknown) => response.status(500).send('theirs'));
  });

  const ours = await fetch(`${url}/ours`, { headers: bearer });

  assert.equal(ours.status, 403);
  assert.match(ours.headers.get('www-authenticate') ?? '', /scope="files:delete"/);
  assert.equal(await (await fetch(`${url}/bug`, { headers: bearer })).text(), 'theirs');
});

test('[RS-17] an outage is 503 with Retry-After', async (t) => {
  const { url, played } = await stand(t, {}, () => undefined);
  played.reply = () => ({ status: 500 });

  const response = await fetch(url, { headers: bearer });

  assert.deepEqual([response.status, response.headers.get('retry-after')], [503, '5']);
});

async function stand(
  t: TestContext,
  more: Partial<Omit<AuthAgentOptions, 'verify'>>,
  routes: (app: App) => void,
  before: ExpressMiddleware[] = [],
): Promise<{ url: string; played: PlayedServer }> {
  const played = await playAuthorizationServer(t);
  played.reply = () => ({ body: activeAnswer(played.url) });
  const app = express();
  for (const middleware of before) app.use(middleware);
  app.use(requireAuth({ ...optionsFor(played), resource, requiredScopes: ['files:read'], ...more }));
  routes(app);
  return { url: await listen(t, app), played };
}
