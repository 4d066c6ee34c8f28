import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { activeAnswer, optionsFor, playAuthorizationServer, resource, startOfTime } from '../test/stage.ts';
import { protect } from './adapters/fetch.ts';
import { inboundOf } from './adapters/web.ts';
import { AuthAgentError, AuthenticationError, AuthorizationError, AuthServerUnavailable } from './errors.ts';
import { createGuard, isAnswer } from './guard.ts';
import type { AuthAgentOptions } from './options.ts';
import type { AuthContext } from './verify.ts';

const url = resource;
const bearer = { Authorization: 'Bearer abc' };
const ownDocument = 'resource_metadata="https://files.example.com/.well-known/oauth-protected-resource/mcp"';

test('[RS-01] [RS-12] [PRM-06] without a token: 401, where to sign in, what to ask for, and no error code', async (t) => {
  const { handle, reached } = await stand(t);

  const response = await handle(new Request(url));

  assert.equal(response.status, 401);
  assert.equal(response.headers.get('www-authenticate'), `Bearer realm="srv_abc123", ${ownDocument}, scope="files:read"`);
  assert.equal(response.headers.get('cache-control'), 'no-store');
  assert.deepEqual(await response.json(), { error: 'missing_token', error_description: 'This server needs an access token in the Authorization header' });
  assert.equal(reached(), 0);
});

test('[RS-02] [PRM-06] a bad token: 401 invalid_token, the same for every reason', async (t) => {
  const { handle, played } = await stand(t);
  const answers = new Set<string>();
  const bad: Record<string, unknown>[] = [
    { active: false },
    { aud: 'https://x.example.com' },
    { iss: 'https://x.example.com' },
    { exp: 1 },
    { token_type: 'DPoP' },
  ];

  for (const change of bad) {
    played.reply = () => ({ body: activeAnswer(played.url, change) });
    const response = await handle(new Request(url, { headers: bearer }));
    answers.add(JSON.stringify([response.status, [...response.headers], await response.text()]));
  }

  assert.equal(answers.size, 1);
  assert.match([...answers][0] ?? '', /401.*error=.{1,3}invalid_token.*resource_metadata|401.*resource_metadata.*error=.{1,3}invalid_token/);
});

test('[RS-03] [RS-13] a good token without the scopes: 403 that names all of them', async (t) => {
  const { handle, reached } = await stand(t, { requiredScopes: ['files:read', 'files:write', 'db:read'] });

  const response = await handle(new Request(url, { headers: bearer }));

  assert.equal(response.status, 403);
  assert.equal(response.headers.get('www-authenticate'), `Bearer error="insufficient_scope", scope="files:read files:write db:read", ${ownDocument}`);
  assert.equal(reached(), 0);
});

test('[RS-11] a scope that includes the required one suffices', async (t) => {
  const { handle, played } = await stand(t, { scopeHierarchy: { 'admin:all': ['*'] } });
  played.reply = () => ({ body: activeAnswer(played.url, { scope: 'admin:all' }) });

  assert.equal((await handle(new Request(url, { headers: bearer }))).status, 200);
});

test('[RS-04] two tokens are one too many: in the query, in a form, in two headers', async (t) => {
  const { handle, reached } = await stand(t);
  const form = { method: 'POST', body: 'access%5Ftoken=def', headers: { ...bearer, 'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8' } };
  const twice = new Request(url, { headers: [...Object.entries(bearer), ['Authorization', 'Bearer def']] });

  for (const request of [new Request(`${url}?access_token=def`, { headers: bearer }), new Request(url, form), twice]) {
    const response = await handle(request);
    assert.equal(response.status, 400);
    assert.match(response.headers.get('www-authenticate') ?? '', /^Bearer error="invalid_request"/);
  }
  assert.equal(reached(), 0);
});

test('[RS-05] a token in the query or a form is never used', async (t) => {
  const { handle, played } = await stand(t);
  const form = { method: 'POST', body: 'access_token=abc', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } };

  for (const request of [new Request(`${url}?access_token=abc`), new Request(url, form)]) {
    const response = await handle(request);
    assert.equal(response.status, 401);
    assert.doesNotMatch(response.headers.get('www-authenticate') ?? '', /error=/);
  }
  assert.equal(played.received.length, 0);
});

test('a form without a token reaches the handler whole', async (t) => {
  const { handle } = await stand(t, {}, async (request) => new Response(await request.text()));
  const form = { method: 'POST', body: 'a=1&b=2', headers: { ...bearer, 'Content-Type': 'application/x-www-form-urlencoded' } };

  assert.equal(await (await handle(new Request(url, form))).text(), 'a=1&b=2');
});

test('[RS-06] the scheme is read in any case', async (t) => {
  const { handle } = await stand(t);

  for (const scheme of ['bearer', 'BEARER', 'bEaReR']) {
    assert.equal((await handle(new Request(url, { headers: { Authorization: `${scheme} abc` } }))).status, 200);
  }
});

test('[RS-10] sessions keep their owner also where no answer about a token is remembered', async (t) => {
  const { handle, played } = await stand(t, { maxCacheEntries: 0 }, () => new Response('reached', { headers: { 'Mcp-Session-Id': 's1' } }));
  await handle(new Request(url, { method: 'POST', headers: bearer }));
  played.reply = () => ({ body: activeAnswer(played.url, { sub: 'usr_2' }) });

  const stolen = await handle(new Request(url, { method: 'POST', headers: { Authorization: 'Bearer other', 'Mcp-Session-Id': 's1' } }));

  assert.equal(stolen.status, 404);
});

test('printing a guard does not print its key', () => {
  const guard = createGuard({ serverId: 'srv_a', apiKey: 'sk_very_secret', authServerUrl: 'https://auth.example.com' });

  assert.doesNotMatch(inspect(guard, { depth: 9 }), /sk_very_secret/);
});

test('[RS-10] a session id is no credential, and each request is asked for its token', async (t) => {
  const { handle } = await stand(t);
  const session = { 'Mcp-Session-Id': 's1' };

  assert.equal((await handle(new Request(url, { method: 'POST', headers: { ...bearer, ...session } }))).status, 200);
  assert.equal((await handle(new Request(url, { method: 'POST', headers: session }))).status, 401);
});

test('[RS-10] a session belongs to who opened it: a stranger with a good token gets 404, the owner may refresh the token', async (t) => {
  const { handle, played } = await stand(t, {}, () => new Response('reached', { headers: { 'Mcp-Session-Id': 's1' } }));
  const call = async (token: string, sub: string, session?: string) => {
    played.reply = () => ({ body: activeAnswer(played.url, { sub }) });
    const headers = { Authorization: `Bearer ${token}`, ...(session && { 'Mcp-Session-Id': session }) };
    return (await handle(new Request(url, { method: 'POST', headers }))).status;
  };

  assert.equal(await call('b0', 'usr_b', 's1'), 200, 'unknown here: the handler decides, and echoing it claims nothing');
  assert.equal(await call('a1', 'usr_a'), 200);
  assert.equal(await call('a1', 'usr_a', 's1'), 200);
  assert.equal(await call('b1', 'usr_b', 's1'), 404);
  assert.equal(await call('a2', 'usr_a', 's1'), 200);
});

test('[RS-17] while the authorization server is down: 503 with Retry-After and no challenge', async (t) => {
  const { handle, played, reached } = await stand(t);
  played.reply = () => ({ status: 503, headers: { 'Retry-After': '7' } });

  const response = await handle(new Request(url, { headers: bearer }));

  assert.equal(response.status, 503);
  assert.equal(response.headers.get('retry-after'), '7');
  assert.equal(response.headers.get('www-authenticate'), null);
  assert.equal(reached(), 0);
});

test('[RS-17] what a handler could not get is 503 for the caller, and the log says which address and why', async (t) => {
  const hints: string[] = [];
  const { handle } = await stand(t, { log: (line) => hints.push(line) }, () => {
    throw new AuthServerUnavailable('status_404', { detail: '"https://auth.example.com/token" answered 404' });
  });
  const response = await handle(new Request(url, { headers: bearer }));

  assert.equal(response.status, 503);
  assert.equal(((await response.json()) as Record<string, unknown>)['error_description'], 'The authorization server cannot be reached');
  assert.deepEqual(hints, [
    'auth-agent: A handler could not go on, and callers get 503. The authorization server cannot be reached: "https://auth.example.com/token" answered 404',
  ]);
});

test('[RS-17] [RS-01] without a token the challenge needs no authorization server', async (t) => {
  const { handle, played } = await stand(t);
  played.reply = () => 'hang';

  assert.equal((await handle(new Request(url))).status, 401);
  assert.equal(played.received.length, 0);
});

test('[RS-18] every method but OPTIONS is protected', async (t) => {
  const { handle, reached } = await stand(t);

  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']) {
    const response = await handle(new Request(url, { method, headers: { 'X-HTTP-Method-Override': 'OPTIONS' } }));
    assert.equal(response.status, 401, method);
    if (method === 'HEAD') assert.equal(await response.text(), '');
  }
  assert.equal(reached(), 0);
});

test('[RS-18] tricks with the path open nothing', async (t) => {
  const played = await playAuthorizationServer(t);
  const guard = createGuard({ ...optionsFor(played), resource, publicPaths: ['/health'] });
  const tricks = [
    '//mcp',
    '/mcp/',
    '/mcp%2f',
    '//health',
    '/health/',
    '/%68ealth',
    '/health%2f',
    '/Health',
    '/health;x',
    '/mcp?/health',
    '/mcp/.well-known/oauth-protected-resource',
    '//.well-known/oauth-protected-resource',
    '/%2ewell-known/oauth-protected-resource',
    '/.well-known/oauth-protected-resourcex',
  ];

  const admit = (path: string) => guard.admit(inboundOf(new Request(`https://files.example.com${path}`)));

  assert.deepEqual(await admit('/health?verbose'), { auth: undefined, headers: {} });
  for (const path of tricks) {
    const outcome = await admit(path);
    assert.ok(isAnswer(outcome) && outcome.status === 401, path);
  }
});

test('[RS-18] [CORS-08] OPTIONS is answered without a token and never reaches the handler', async (t) => {
  const { handle, reached } = await stand(t, { allowedOrigins: ['https://app.example.com'] });
  const preflight = { Origin: 'https://app.example.com', 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'authorization' };

  const [plain, browser] = await Promise.all([
    handle(new Request(url, { method: 'OPTIONS' })),
    handle(new Request(url, { method: 'OPTIONS', headers: preflight })),
  ]);

  assert.deepEqual([plain?.status, browser?.status], [204, 204]);
  const allowed = browser?.headers.get('access-control-allow-headers') ?? '';
  for (const name of ['Authorization', 'Content-Type', 'DPoP', 'MCP-Protocol-Version', 'Mcp-Session-Id', 'Last-Event-ID', 'Mcp-Method', 'Mcp-Name']) {
    assert.ok(allowed.includes(name), name);
  }
  assert.equal(browser?.headers.get('access-control-allow-origin'), 'https://app.example.com');
  assert.equal(plain?.headers.get('access-control-allow-origin'), null);
  assert.equal(reached(), 0);
});

test('[CORS-08] browsers can read every answer, also refusals', async (t) => {
  const { handle, played } = await stand(t, { allowedOrigins: ['https://app.example.com'] });
  const origin = { Origin: 'https://app.example.com' };
  const good = await handle(new Request(url, { headers: { ...origin, ...bearer } }));
  const refused = await handle(new Request(url, { headers: origin }));
  played.reply = () => ({ status: 500 });
  const down = await handle(new Request(url, { headers: { ...origin, Authorization: 'Bearer def' } }));

  assert.deepEqual([good.status, refused.status, down.status], [200, 401, 503]);
  for (const response of [good, refused, down]) {
    assert.equal(response.headers.get('access-control-allow-origin'), 'https://app.example.com');
    assert.equal(response.headers.get('access-control-expose-headers'), 'WWW-Authenticate, DPoP-Nonce, Mcp-Session-Id, Retry-After');
    assert.match(response.headers.get('vary') ?? '', /Origin/);
  }
});

test('[CORS-09] an origin that is not allowed is refused, with a good token and on OPTIONS too', async (t) => {
  const { handle, reached } = await stand(t, { allowedOrigins: ['https://app.example.com'], authServerUrl: 'https://auth.example.com' });
  const strangers = [
    'https://evil.example.com',
    'http://app.example.com',
    'https://app.example.com:8443',
    'https://app.example.com.evil.com',
    'null',
    'http://localhost:1',
  ];

  for (const origin of strangers) {
    for (const method of ['POST', 'OPTIONS']) {
      const response = await handle(new Request(url, { method, headers: { ...bearer, Origin: origin } }));
      assert.equal(response.status, 403, origin);
      assert.equal(response.headers.get('access-control-allow-origin'), null);
    }
  }
  assert.equal(reached(), 0);
});

test('[CORS-09] our own origin may call, loopback origins in development, everybody when told so, and whoever is no browser', async (t) => {
  const local = await stand(t);
  const open = await stand(t, { allowedOrigins: '*' });
  const call = (handle: (request: Request) => Promise<Response>, headers: Record<string, string>) =>
    handle(new Request(url, { headers: { ...bearer, ...headers } }));

  assert.equal((await call(local.handle, {})).status, 200);
  assert.equal((await call(local.handle, { Origin: 'https://files.example.com' })).status, 200);
  for (const origin of ['http://localhost:6274', 'http://127.0.0.1:6274', 'http://[::1]:6274'])
    assert.equal((await call(local.handle, { Origin: origin })).status, 200);
  for (const origin of ['http://localhost.evil.com', 'http://localhost:6274/', 'http://u@localhost:6274']) {
    assert.equal((await call(local.handle, { Origin: origin })).status, 403);
  }
  assert.equal((await call(open.handle, { Origin: 'https://anything.example.com' })).headers.get('access-control-allow-origin'), '*');
});

test('[CORS-09] without a configured resource our own origin is the registered one', async (t) => {
  const played = await playAuthorizationServer(t);
  const handle = protect(optionsFor(played), () => new Response('reached'));

  assert.equal((await handle(new Request(url, { headers: { ...bearer, Origin: 'https://files.example.com' } }))).status, 200);
  assert.equal((await handle(new Request(url, { headers: { ...bearer, Origin: 'https://evil.example.com' } }))).status, 403);
});

test('[RS-23] authenticated answers stay out of shared caches, whatever the handler says', async (t) => {
  const cases: [string | null, string][] = [
    [null, 'no-store'],
    ['public, max-age=60', 'no-store'],
    ['no-cache, no-transform', 'no-store, no-transform'],
    ['private, max-age=60', 'private, max-age=60'],
    ['no-store', 'no-store'],
    ['max-age=60, x="private-ish"', 'no-store'],
  ];
  for (const [set, expected] of cases) {
    const { handle } = await stand(t, {}, () => new Response('', { headers: { Vary: 'Accept', ...(set && { 'Cache-Control': set }) } }));

    const response = await handle(new Request(url, { headers: bearer }));

    assert.equal(response.headers.get('cache-control'), expected);
    assert.equal(response.headers.get('vary'), 'Accept, Authorization');
  }
});

test('[RS-23] an immutable response of the handler is sealed as well', async (t) => {
  const { handle } = await stand(t, {}, () => Response.redirect('https://files.example.com/elsewhere'));

  const response = await handle(new Request(url, { headers: bearer }));

  assert.equal(response.status, 302);
  assert.equal(response.headers.get('location'), 'https://files.example.com/elsewhere');
  assert.equal(response.headers.get('cache-control'), 'no-store');
});

test('[RS-03] [RS-15] an error of ours that a handler throws becomes its challenge, any other goes on', async (t) => {
  const thrown: unknown[] = [
    new AuthorizationError(['files:delete']),
    new AuthenticationError('insufficient_user_authentication', 'too_old', { stepUp: { maxAge: 300 } }),
    new Error('a bug'),
  ];
  const { handle } = await stand(t, {}, () => {
    throw thrown.shift();
  });
  const call = () => handle(new Request(url, { headers: bearer }));

  const forbidden = await call();
  const stepUp = await call();

  assert.equal(forbidden.status, 403);
  assert.match(forbidden.headers.get('www-authenticate') ?? '', /^Bearer error="insufficient_scope", scope="files:delete"/);
  assert.equal(stepUp.status, 401);
  assert.match(stepUp.headers.get('www-authenticate') ?? '', /error="insufficient_user_authentication".*max_age="300"/);
  await assert.rejects(call(), { message: 'a bug' });
});

test('[RS-15] a sign-in that is too weak or too old is 401 with what to ask for, before any scope is looked at', async (t) => {
  let answered = 0;
  const { handle, played } = await stand(t, { acrValues: ['aal2', 'aal1'], maxAge: 300, requiredScopes: ['admin:all'] }, () => {
    answered++;
    return new Response();
  });
  const says = async (claims: Record<string, unknown>) => {
    const reply = played.reply;
    played.reply = async (request) => {
      const good = await reply(request);
      return good === 'hang' || !request.path.startsWith('/introspect') ? good : { ...good, body: { ...(good.body as object), ...claims } };
    };
    const response = await handle(new Request(url, { headers: { Authorization: `Bearer t${JSON.stringify(claims).replace(/[^a-z0-9]/gi, '')}` } }));
    played.reply = reply;
    return response;
  };

  for (const claims of [{}, { acr: 'aal1', auth_time: startOfTime - 301 }, { acr: 'aal0', auth_time: startOfTime }]) {
    const response = await says(claims);
    assert.equal(response.status, 401);
    assert.match(response.headers.get('www-authenticate') ?? '', /^Bearer .*error="insufficient_user_authentication".*acr_values="aal2 aal1", max_age="300"$/);
  }
  assert.equal((await says({ acr: 'aal1', auth_time: startOfTime - 300 })).status, 403);
  assert.equal(answered, 0);
});

test('a handler that is promised an AuthContext cannot have public paths', () => {
  assert.throws(() => protect({ serverId: 'srv_a', apiKey: 'sk_a', publicPaths: ['/health'] } as never, () => new Response()), /"publicPaths"/);
});

test('errors have stable codes and statuses', () => {
  assert.deepEqual(
    [new AuthenticationError('missing_token'), new AuthenticationError('invalid_request'), new AuthorizationError(['a'])].map((error) => [
      error.name,
      error.code,
      error.status,
      error instanceof AuthAgentError,
    ]),
    [
      ['AuthenticationError', 'missing_token', 401, true],
      ['AuthenticationError', 'invalid_request', 400, true],
      ['AuthorizationError', 'insufficient_scope', 403, true],
    ],
  );
});

async function stand(
  t: Parameters<typeof playAuthorizationServer>[0],
  more: Partial<Omit<AuthAgentOptions, 'verify' | 'publicPaths'>> = {},
  handler: (request: Request, auth: AuthContext) => Response | Promise<Response> = () => new Response('reached'),
) {
  const played = await playAuthorizationServer(t);
  let calls = 0;
  const options = { ...optionsFor(played), resource, requiredScopes: ['files:read'], ...more };
  const handle = protect(options, (request, auth) => {
    calls += 1;
    return handler(request, auth);
  });
  return { handle, played, reached: () => calls };
}
