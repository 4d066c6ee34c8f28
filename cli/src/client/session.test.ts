/**
 * The rules that need two servers: a small world of an MCP server and authorization servers that misbehave as the test wants. Our own server is in try.test.ts.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { type Exit, Failure } from '../exit-codes.ts';
import { openSession, type SessionOptions } from './session.ts';
import { openStore, tokenKey } from './store.ts';

const folder = mkdtempSync(join(tmpdir(), 'auth-agent-session-'));
const closing: (() => void)[] = [];
after(() => {
  for (const close of closing) close();
  rmSync(folder, { recursive: true });
});

type Seen = { path: string; authorization?: string; body: string };
type Handler = (seen: Seen, response: ServerResponse, origin: string) => void;
async function serve(handler: Handler): Promise<{ origin: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  let origin = '';
  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    const one = { path: request.url ?? '', authorization: request.headers.authorization, body: await text(request) };
    seen.push(one);
    handler(one, response, origin);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(
    () => server.close(),
    () => server.closeAllConnections(),
  );
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { origin, seen };
}

const json = (response: ServerResponse, body: object, status = 200): void =>
  void response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));

/** An authorization server; `more` is added to its metadata. Its tokens are numbered. */
async function authServer(more: object = {}, withMetadata = true) {
  let count = 0;
  return serve((seen, response, origin) => {
    const endpoints = { authorization_endpoint: `${origin}/authorize`, token_endpoint: `${origin}/token`, registration_endpoint: `${origin}/register` };
    const metadata = { issuer: origin, ...endpoints, code_challenge_methods_supported: ['S256'], response_types_supported: ['code'], ...more };
    if (withMetadata && seen.path === '/.well-known/oauth-authorization-server') json(response, metadata);
    else if (seen.path === '/register') json(response, { ...JSON.parse(seen.body), client_id: `client-of-${origin}` }, 201);
    else if (seen.path === '/device_authorization') json(response, { device_code: 'dc', user_code: 'WDJB-MJHT', verification_uri: `${origin}/device` });
    else if (seen.path === '/token')
      json(response, { access_token: `token-${++count}-of-${origin}`, token_type: 'Bearer', refresh_token: 'rt', expires_in: 60 });
    else response.writeHead(404).end();
  });
}

/** An MCP server that asks `judge` about each request: undefined is a yes, text the challenge. */
async function mcpServer(issuer: () => string, judge: (token: string | undefined) => [number, string] | undefined) {
  return serve((seen, response, origin) => {
    if (seen.path.startsWith('/.well-known/')) return json(response, { resource: `${origin}/mcp`, authorization_servers: [issuer()], scopes_supported: ['a'] });
    const no = judge(seen.authorization?.replace('Bearer ', ''));
    if (no) response.writeHead(no[0], { 'WWW-Authenticate': `Bearer ${no[1]}` }).end();
    else response.end('yes');
  });
}

let stores = 0;
/** A session whose person allows at once; what they were asked is kept. */
function visit(mcp: string, more: Partial<SessionOptions> = {}) {
  const asked: URL[] = [];
  const store = openStore({ AUTH_AGENT_CLIENT_STORE: join(folder, `${++stores}.json`) });
  const session = openSession(new URL(mcp), {
    store,
    openReception: async () => ({
      redirectUri: 'http://127.0.0.1:1/callback',
      receive: async (url, state) => {
        asked.push(url);
        return { parameters: new URLSearchParams({ code: 'c', state }) };
      },
      close: () => {},
    }),
    mayAsk: true,
    tell: () => {},
    now: () => 1000,
    wait: async () => {},
    ...more,
  });
  return { session, store, asked };
}
const fails = (exit: Exit) => (error: unknown) => error instanceof Failure && error.exit === exit;

test('[CL-07] [CL-12] resource goes to authorization and token alike, byte for byte; the registration says native', async () => {
  const as = await authServer();
  const mcp = await mcpServer(
    () => as.origin,
    (token) => (token ? undefined : [401, '']),
  );
  const { session, asked } = visit(`${mcp.origin}/mcp`);

  await session.open();

  const registered = JSON.parse(as.seen.find(({ path }) => path === '/register')?.body ?? '{}');
  const token = new URLSearchParams(as.seen.find(({ path }) => path === '/token')?.body);
  assert.equal(registered.application_type, 'native');
  assert.deepEqual([asked[0]?.searchParams.get('resource'), token.get('resource')], [`${mcp.origin}/mcp`, `${mcp.origin}/mcp`]);
  assert.ok((token.get('code_verifier') ?? '').length >= 43 && asked[0]?.searchParams.get('code_challenge_method') === 'S256');
});

test('[CL-09] a server that is never content is asked three times at most, with the union of all that was requested', async () => {
  const as = await authServer();
  let more = 0;
  const mcp = await mcpServer(
    () => as.origin,
    (token) => (token ? [403, `error="insufficient_scope", scope="s${++more}"`] : [401, 'scope="a"']),
  );
  const { session, asked } = visit(`${mcp.origin}/mcp`);

  await assert.rejects(session.open(), fails('refused'));

  assert.deepEqual(
    asked.map((url) => url.searchParams.get('scope')),
    ['a', 'a s1', 'a s1 s2'],
  );
});

test('[CL-18] a token that was just made and is refused ends it: no loop', async () => {
  const as = await authServer();
  const mcp = await mcpServer(
    () => as.origin,
    () => [401, 'error="invalid_token"'],
  );
  const { session, asked } = visit(`${mcp.origin}/mcp`);

  await assert.rejects(session.open(), fails('refused'));
  assert.equal(asked.length, 1);
});

test('requests that are refused together ask the person once', async () => {
  const as = await authServer();
  const mcp = await mcpServer(
    () => as.origin,
    (token) => (token ? undefined : [401, '']),
  );
  const { session, asked } = visit(`${mcp.origin}/mcp`);

  const answers = await Promise.all([1, 2, 3].map(() => session.fetch(`${mcp.origin}/mcp`)));

  assert.deepEqual([asked.length, ...answers.map(({ status }) => status)], [1, 200, 200, 200]);
});

test('[CL-10] configured comes before the metadata document, that before registration; without any way the person is told', async () => {
  const documents = await authServer({ client_id_metadata_document_supported: true });
  const closed = await authServer({ registration_endpoint: undefined });
  const at = async (as: { origin: string }, more: Partial<SessionOptions>) => {
    const mcp = await mcpServer(
      () => as.origin,
      (token) => (token ? undefined : [401, '']),
    );
    const { session, asked } = visit(`${mcp.origin}/mcp`, more);
    await session.open();
    return asked[0]?.searchParams.get('client_id');
  };
  const documentUrl = 'https://cli.example/client.json';

  assert.equal(await at(documents, { documentUrl, configured: { clientId: 'mine' } }), 'mine');
  assert.equal(await at(documents, { documentUrl }), documentUrl);
  assert.equal(await at(documents, {}), `client-of-${documents.origin}`);
  assert.equal(documents.seen.filter(({ path }) => path === '/register').length, 1);
  await assert.rejects(at(closed, { documentUrl }), fails('usage'));
});

test('[CL-11] when the server names another issuer nothing of the old one goes there; a configured secret never does', async () => {
  const [first, second] = [await authServer(), await authServer()];
  let issuer = first.origin;
  const mcp = await mcpServer(
    () => issuer,
    (token) => (token?.endsWith(issuer) ? undefined : [401, '']),
  );
  const { session, store } = visit(`${mcp.origin}/mcp`);
  await session.open();

  issuer = second.origin;
  await session.open();

  const sent = JSON.stringify(second.seen);
  assert.ok(!sent.includes(`of-${first.origin}`) && !sent.includes('refresh_token=rt'), sent);
  assert.equal(Object.keys(store.read().clients).length, 2);
  assert.ok(store.read().tokens[tokenKey({ issuer: first.origin, resource: `${mcp.origin}/mcp` })]);
  const configured = visit(`${mcp.origin}/mcp`, { configured: { clientId: 'c', clientSecret: 'x-secret', issuer: first.origin } });
  await assert.rejects(configured.session.open(), fails('refused'));
  assert.ok(!JSON.stringify(second.seen).includes('x-secret'));
});

test('[CL-15] an authorization endpoint that is no web address, or plain http elsewhere, is not opened', async () => {
  for (const bad of ['javascript:alert(1)', 'file:///etc/passwd', 'ms-settings:x', 'http://as.example.com/authorize']) {
    const as = await authServer({ authorization_endpoint: bad });
    const mcp = await mcpServer(
      () => as.origin,
      (token) => (token ? undefined : [401, '']),
    );
    const { session, asked } = visit(`${mcp.origin}/mcp`);

    await assert.rejects(session.open(), fails('refused'), bad);
    assert.equal(asked.length, 0);
  }
});

test('[CL-17] the token goes to the origin it is for, in the header only, and follows no redirect', async () => {
  const as = await authServer();
  const other = await serve((_seen, response) => response.end('other'));
  const mcp = await serve((seen, response, origin) => {
    if (seen.path.startsWith('/.well-known/')) json(response, { resource: `${origin}/mcp`, authorization_servers: [as.origin] });
    else if (!seen.authorization) response.writeHead(401, { 'WWW-Authenticate': 'Bearer' }).end();
    else response.writeHead(307, { Location: `${other.origin}/mcp` }).end();
  });
  const { session } = visit(`${mcp.origin}/mcp`);

  const response = await session.fetch(`${mcp.origin}/mcp`);
  await session.fetch(`${other.origin}/named-by-the-server`);

  assert.equal(response.status, 307);
  assert.deepEqual(
    other.seen.map(({ path, authorization }) => [path, authorization]),
    [['/named-by-the-server', undefined]],
  );
  assert.ok(mcp.seen.every(({ path }) => !path.includes('token-')));
  assert.throws(() => visit('http://mcp.example.com/mcp'), fails('refused'));
});

test('[CL-19] Retry-After is waited for once, when it is short', async () => {
  const waited: number[] = [];
  let calls = 0;
  const mcp = await serve((_seen, response) => (++calls === 1 ? response.writeHead(503, { 'Retry-After': '7' }).end() : response.end('yes')));
  const { session } = visit(`${mcp.origin}/mcp`, { wait: async (milliseconds) => waited.push(milliseconds) });

  assert.equal((await session.fetch(`${mcp.origin}/mcp`)).status, 200);
  assert.deepEqual(waited, [7000]);
});

test('[CL-23] an old server without any metadata is its own authorization server, unless the revision forbids it', async () => {
  const old = await serve((seen, response, origin) => {
    if (seen.path === '/mcp') response.writeHead(seen.authorization ? 200 : 401).end();
    else if (seen.path === '/register') json(response, { ...JSON.parse(seen.body), client_id: 'old' }, 201);
    else if (seen.path === '/token') json(response, { access_token: 't', token_type: 'bearer' });
    else response.writeHead(404).end(origin);
  });
  const { session, asked } = visit(`${old.origin}/mcp`);

  await session.open();

  assert.equal(asked[0]?.pathname, '/authorize');
  assert.equal(asked[0]?.searchParams.get('scope'), null);
  await assert.rejects(visit(`${old.origin}/mcp`, { allowLegacy: false }).session.open(), fails('refused'));
});

test('[CL-25] a stronger sign-in is asked for as the server said', async () => {
  const as = await authServer();
  const mcp = await mcpServer(
    () => as.origin,
    (token) => (token?.startsWith('token-2') ? undefined : [401, token ? 'error="insufficient_user_authentication", acr_values="mfa", max_age="60"' : '']),
  );
  const { session, asked } = visit(`${mcp.origin}/mcp`);

  await session.open();

  assert.deepEqual(
    asked.map((url) => [url.searchParams.get('acr_values'), url.searchParams.get('max_age')]),
    [
      [null, null],
      ['mfa', '60'],
    ],
  );
});

test('[CL-10] by device code: one registration for both ways, the same resource, and a browser only where no code is offered', async () => {
  const plain = await authServer();
  const offering = await authServer();
  const without = await mcpServer(
    () => plain.origin,
    (token) => (token ? undefined : [401, '']),
  );
  const shown: string[] = [];
  const show = (waiting: { userCode: string }) => void shown.push(waiting.userCode);
  const offered = await authServer({ device_authorization_endpoint: `${offering.origin}/device_authorization` });
  const within = await mcpServer(
    () => offered.origin,
    (token) => (token ? undefined : [401, '']),
  );

  const byCode = visit(`${within.origin}/mcp`, { device: { always: true, show } });
  await byCode.session.open();
  const fallen = visit(`${without.origin}/mcp`, { device: { always: false, show } });
  await fallen.session.open();
  const refused = visit(`${without.origin}/mcp`, { device: { always: true, show } });

  assert.deepEqual([shown, byCode.asked.length, fallen.asked.length], [['WDJB-MJHT'], 0, 1]);
  const registered = JSON.parse(offered.seen.find(({ path }) => path === '/register')?.body ?? '{}');
  assert.deepEqual(registered.grant_types, ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code']);
  assert.match(registered.redirect_uris[0], /^http:\/\/127\.0\.0\.1:\d+\/callback$/);
  const polled = new URLSearchParams(offered.seen.find(({ path }) => path === '/token')?.body);
  assert.equal(polled.get('resource'), `${within.origin}/mcp`);
  await assert.rejects(refused.session.open(), fails('refused'));
});

test('[CL-21] a server that accepts only bound tokens: an authorization server that binds none is refused, and so is a Bearer token from it', async () => {
  const algorithms = { dpop_signing_alg_values_supported: ['ES256'] };
  for (const as of [await authServer(), await authServer({ dpop_signing_alg_values_supported: ['RS256'] }), await authServer(algorithms)]) {
    const mcp = await serve((seen, response, origin) => {
      if (seen.path.startsWith('/.well-known/')) json(response, { resource: `${origin}/mcp`, authorization_servers: [as.origin] });
      else response.writeHead(401, { 'WWW-Authenticate': 'DPoP algs="ES256"' }).end();
    });
    const { session, store } = visit(`${mcp.origin}/mcp`);

    await assert.rejects(session.open(), fails('refused'));

    assert.deepEqual(store.read().tokens, {});
    assert.ok(mcp.seen.every(({ authorization }) => authorization === undefined));
  }
});

test('[CL-21] the metadata alone can ask for bound tokens; unbound ones of before are not renewed for it', async () => {
  const proofs: string[] = [];
  const as = await authServer({ dpop_signing_alg_values_supported: ['ES256'] });
  let required = false;
  const mcp = await serve((seen, response, origin) => {
    const document = { resource: `${origin}/mcp`, authorization_servers: [as.origin], dpop_bound_access_tokens_required: required };
    if (seen.path.startsWith('/.well-known/')) json(response, document);
    else if (seen.authorization && !required) response.end('yes');
    else response.writeHead(401, { 'WWW-Authenticate': 'Bearer' }).end();
    if (seen.authorization) proofs.push(seen.authorization.split(' ')[0] ?? '');
  });
  const { session, asked } = visit(`${mcp.origin}/mcp`);
  await session.open();

  required = true;
  await assert.rejects(session.open(), fails('refused'));

  assert.deepEqual(
    asked.map((url) => url.searchParams.has('dpop_jkt')),
    [false, true],
  );
  assert.equal(as.seen.filter(({ body }) => body.includes('grant_type=refresh_token')).length, 0);
  assert.deepEqual(new Set(proofs), new Set(['Bearer']));
});
