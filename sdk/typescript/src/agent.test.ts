import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import { type AgentOptions, agentTokens, TokenRequestRefused } from 'auth-agent-mcp-sdk/agent';
import { startDevelopment } from '../../../server/src/runtimes/node.ts';
import { listen, type PlayedServer, playAuthorizationServer, type Reply, startOfTime } from '../test/stage.ts';
import { readVectors } from '../test/vectors.ts';
import { AuthServerUnavailable } from './errors.ts';

interface Step {
  readonly at: number;
  readonly do: 'token' | 'fetch';
  readonly body?: 'stream';
  readonly token_endpoint: readonly ('unreachable' | { status: number; body: unknown })[];
  readonly server?: readonly number[];
  readonly sent?: readonly string[];
  readonly expect: string | number;
  readonly code?: string;
}

const client = { clientId: 'mcp-task-manager', clientSecret: 'very secret: +%&/é' };
const granted = (value: string): Reply => ({ body: { access_token: value, token_type: 'Bearer', expires_in: 3600 } });

describe('vectors', () => {
  for (const { name, steps } of readVectors<{ cases: { name: string; requirements: string[]; steps: Step[] }[] }>('agent').cases) {
    test(`${name} (agent)`, async (t) => {
      const [auth, api] = [await playAuthorizationServer(t), await playAuthorizationServer(t)];
      let now = startOfTime;
      // What the vectors call unreachable is a socket that ends without an answer.
      const guardedFetch: typeof fetch = async (input, init) => {
        const response = await fetch(input, init);
        if (response.status === 599) throw new TypeError('fetch failed');
        return response;
      };
      const agent = agentTokens({ ...client, tokenEndpoint: `${auth.url}/token`, now: () => now, fetch: guardedFetch });

      for (const [index, step] of steps.entries()) {
        now = startOfTime + step.at;
        const where = `step ${index}`;
        const answers = [...step.token_endpoint];
        const statuses = [...(step.server ?? [])];
        auth.received.length = 0;
        api.received.length = 0;
        auth.reply = () => {
          const answer = answers.shift() ?? 'unreachable';
          if (answer === 'unreachable') return { status: 599 };
          return { ...answer, ...(typeof answer.body === 'string' && { raw: answer.body }) };
        };
        api.reply = () => ({ status: statuses.shift() ?? 500 });

        const outcome = await (step.do === 'token' ? agent.token() : request(agent, api, step)).catch((error: unknown) => error);

        if (step.expect === 'unavailable') assert.ok(outcome instanceof AuthServerUnavailable, `${where}: ${inspect(outcome)}`);
        else if (step.expect === 'refused') assert.equal((outcome as TokenRequestRefused).code, step.code, where);
        else assert.equal(outcome, step.expect, where);
        assert.equal(auth.received.length, step.token_endpoint.length, where);
        const sent = api.received.map(({ headers }) => headers.authorization?.replace('Bearer ', ''));
        assert.deepEqual(sent, step.sent ?? [], where);
        for (const { body } of api.received.map(({ form }) => ({ body: form.get('title') }))) assert.equal(body, 'x', where);
      }
    });
  }
});

async function request(agent: ReturnType<typeof agentTokens>, api: PlayedServer, { body }: Step): Promise<number> {
  const stream = { body: new Blob(['title=x']).stream(), duplex: 'half' };
  const init = body === 'stream' ? stream : { body: new URLSearchParams({ title: 'x' }) };
  const response = await agent.fetch(api.url, { method: 'POST', ...init });
  await response.text();
  return response.status;
}

for (const [issuer, addresses] of Object.entries({
  'https://auth.example.com/t/acme': [
    '/.well-known/oauth-authorization-server/t/acme',
    '/.well-known/openid-configuration/t/acme',
    '/t/acme/.well-known/openid-configuration',
  ],
  'https://auth.example.com': ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration'],
})) {
  test(`[CL-03] the metadata of ${issuer} is looked for at every address, whatever the others answer`, async () => {
    const instead: Record<string, () => Response> = {
      '404': () => new Response(null, { status: 404 }),
      '403': () => new Response(null, { status: 403 }),
      '500': () => new Response(null, { status: 500 }),
      'a page': () => new Response('<!doctype html>'),
      'a list': () => Response.json([]),
      'a redirect': () => new Response(null, { status: 302, headers: { Location: issuer } }),
      nothing: () => {
        throw new TypeError('fetch failed');
      },
    };

    for (const [what, other] of Object.entries(instead)) {
      for (let place = 0; place <= addresses.length; place++) {
        const asked: string[] = [];
        const play: typeof fetch = async (input, init) => {
          if (init?.method === 'POST') return Response.json({ access_token: 't1', token_type: 'Bearer' });
          asked.push(new URL(String(input)).pathname);
          return asked.length === place + 1 ? Response.json({ issuer, token_endpoint: 'https://auth.example.com/token' }) : other();
        };

        const outcome = await agentTokens({ ...client, issuer, fetch: play })
          .token()
          .catch((error: unknown) => error);

        if (place < addresses.length) assert.equal(outcome, 't1', what);
        else assert.ok(outcome instanceof AuthServerUnavailable, what);
        assert.deepEqual(asked, addresses.slice(0, place + 1), what);
      }
    }
  });
}

test('the request is a form; credentials are in the header only, form-encoded (RFC 6749 §2.3.1)', async (t) => {
  const auth = await playAuthorizationServer(t);
  auth.reply = () => granted('t1');

  await agentTokens({ ...client, tokenEndpoint: `${auth.url}/token`, scope: 'tasks:read tasks:write', resource: 'http://localhost:4001' }).token();

  const [asked] = auth.received;
  assert.equal(asked?.method, 'POST');
  assert.equal(asked?.form.toString(), 'grant_type=client_credentials&scope=tasks%3Aread+tasks%3Awrite&resource=http%3A%2F%2Flocalhost%3A4001');
  const [id, secret] = Buffer.from((asked?.headers.authorization ?? '').replace('Basic ', ''), 'base64')
    .toString()
    .split(':');
  assert.deepEqual([id, secret], ['mcp-task-manager', 'very+secret%3A+%2B%25%26%2F%C3%A9']);
});

test('many callers at once make one request, and one renewal after many 401s', async (t) => {
  const [auth, api] = [await playAuthorizationServer(t), await playAuthorizationServer(t)];
  let issued = 0;
  auth.reply = () => granted(`t${++issued}`);
  const agent = agentTokens({ ...client, tokenEndpoint: `${auth.url}/token` });

  const tokens = await Promise.all(Array.from({ length: 50 }, () => agent.token()));
  // The old token is refused only after every request has it.
  let arrived = 0;
  const all = Promise.withResolvers<void>();
  api.reply = async ({ headers }) => {
    if (headers.authorization !== 'Bearer t1') return { status: 200 };
    if (++arrived === 20) all.resolve();
    await all.promise;
    return { status: 401 };
  };
  const answers = await Promise.all(Array.from({ length: 20 }, () => agent.fetch(api.url)));

  assert.deepEqual(new Set(tokens), new Set(['t1']));
  assert.ok(answers.every(({ status }) => status === 200));
  assert.equal(auth.received.length, 2);
});

test('the token endpoint comes from the metadata of exactly this issuer, also below a path', async (t) => {
  const auth = await playAuthorizationServer(t);
  const issuer = `${auth.url}/t/acme`;
  const metadata = { issuer, token_endpoint: `${auth.url}/t/acme/token` };
  let served: Record<string, unknown> = metadata;
  auth.reply = ({ path }) => (path === '/.well-known/oauth-authorization-server/t/acme' ? { body: served } : granted('t1'));

  assert.equal(await agentTokens({ ...client, issuer }).token(), 't1');
  for (const wrong of [
    { issuer: auth.url },
    { issuer: `${issuer}/` },
    { issuer: undefined },
    { token_endpoint: 'http://auth.example.com/token' },
    { token_endpoint: 7 },
  ]) {
    served = { ...metadata, ...wrong };
    auth.received.length = 0;
    await assert.rejects(agentTokens({ ...client, issuer }).token(), { name: 'TokenRequestRefused', code: /^wrong_(issuer|metadata)$/ });
    assert.ok(
      auth.received.every(({ method, headers }) => method === 'GET' && headers.authorization === undefined),
      'the secret was sent',
    );
  }
});

test('after a failure the token endpoint is looked up again', async (t) => {
  const auth = await playAuthorizationServer(t);
  let place = '/old';
  auth.reply = ({ path }) => {
    if (path.startsWith('/.well-known/')) return { body: { issuer: auth.url, token_endpoint: auth.url + place } };
    return path === place ? granted('t1') : { status: 404 };
  };
  let now = startOfTime;
  const agent = agentTokens({ ...client, issuer: auth.url, now: () => now });
  await agent.token();

  place = '/new';
  now += 3600;
  await assert.rejects(agent.token(), { code: 'auth_server_unavailable' });

  assert.equal(await agent.token(), 't1');
});

test('the secret never follows a redirect', async (t) => {
  const [auth, elsewhere] = [await playAuthorizationServer(t), await playAuthorizationServer(t)];
  auth.reply = () => ({ status: 307, headers: { Location: `${elsewhere.url}/token` } });

  await assert.rejects(agentTokens({ ...client, tokenEndpoint: `${auth.url}/token` }).token(), { code: 'auth_server_unavailable' });
  assert.equal(elsewhere.received.length, 0);
});

test('a server that begins an answer and never ends it is an outage after the timeout', async (t) => {
  const url = await listen(t, (_request, response) => void response.writeHead(200).write('{"access_token":'));

  await assert.rejects(agentTokens({ ...client, tokenEndpoint: url, timeout: 0.02 }).token(), { code: 'auth_server_unavailable', reason: 'unreachable' });
});

test('an outage names the address and what came of it', async (t) => {
  const auth = await playAuthorizationServer(t);
  const [endpoint, metadata] = [`${auth.url}/token`, `${auth.url}/.well-known/oauth-authorization-server`];
  const bound = { access_token: 't1', token_type: 'DPoP' };
  const cases: [reply: () => Reply, place: { issuer: string } | { tokenEndpoint: string; dpop?: true }, said: string][] = [
    [() => ({ status: 502 }), { issuer: auth.url }, `"${metadata}" answered 502`],
    [() => ({ raw: '<html>' }), { issuer: auth.url }, `"${metadata}" answered without a JSON object`],
    [() => ({ status: 404 }), { tokenEndpoint: endpoint }, `"${endpoint}" answered 404`],
    [() => ({ raw: '<html>' }), { tokenEndpoint: endpoint }, `"${endpoint}" answered without a JSON object`],
    [() => ({ body: {} }), { tokenEndpoint: endpoint }, `"${endpoint}" answered without a usable access_token`],
    [() => ({ body: { access_token: 'a\nb' } }), { tokenEndpoint: endpoint }, `"${endpoint}" answered without a usable access_token`],
    [() => ({ body: { access_token: 't1' } }), { tokenEndpoint: endpoint }, `"${endpoint}" answered with a token that is not of type Bearer`],
    [() => ({ body: bound }), { tokenEndpoint: endpoint }, `"${endpoint}" answered with a token that is not of type Bearer`],
    [() => granted('t1'), { tokenEndpoint: endpoint, dpop: true }, `"${endpoint}" answered with a token that is not of type DPoP`],
    [() => 'hang', { tokenEndpoint: endpoint }, `"${endpoint}" did not answer within 0.05 s`],
    [() => ({}), { tokenEndpoint: 'http://127.0.0.1:1/token' }, '"http://127.0.0.1:1/token" cannot be reached'],
  ];
  for (const [reply, place, said] of cases) {
    auth.reply = reply;
    const agent = agentTokens({ ...client, ...place, timeout: said.includes('0.05') ? 0.05 : 5 });
    await assert.rejects(agent.token(), { message: `The authorization server cannot be reached: ${said}`, text: 'The authorization server cannot be reached' });
  }
});

test('neither an agent nor an error shows the secret, even if the server says it', async (t) => {
  const auth = await playAuthorizationServer(t);
  auth.reply = () => ({ status: 401, body: { error: 'invalid_client', error_description: `wrong secret ${client.clientSecret}\r\nforged: line` } });
  const agent = agentTokens({ ...client, tokenEndpoint: `${auth.url}/token` });

  const refused = await agent.token().catch((error: unknown) => error);
  const unreachable = await agentTokens({ ...client, tokenEndpoint: 'http://localhost:1/token' })
    .token()
    .catch((error: unknown) => error);

  const shown = inspect([agent, refused, unreachable], { depth: 9, showHidden: true });
  assert.match(shown, /invalid_client "wrong secret \*{8}\\\\r\\\\nforged: line"/);
  assert.doesNotMatch(shown, /very secret|dmVyeSB|Basic|forged: line\n/);
});

test('a token goes to https or loopback only, and with a resource only to its origin', async () => {
  const forbidden: typeof fetch = async () => assert.fail('nothing may be sent');
  const agent = agentTokens({ ...client, tokenEndpoint: 'https://auth.example.com/token', fetch: forbidden });
  const bound = agentTokens({ ...client, tokenEndpoint: 'https://auth.example.com/token', resource: 'https://api.example.com/v1', fetch: forbidden });

  for (const wrong of ['http://api.example.com/', 'ftp://api.example.com/', 'file:///etc/passwd', 'data:,x', new Request('http://api.example.com/')])
    await assert.rejects(agent.fetch(wrong), TypeError);
  for (const wrong of ['https://api.example.com:8443/', 'https://api.example.com.evil.test/', 'https://user@evil.test/', new URL('https://evil.test')])
    await assert.rejects(bound.fetch(wrong), /the token is for https:\/\/api\.example\.com\/v1, not for/);
});

test('a redirect to another origin does not take the token along', async (t) => {
  const [auth, api, elsewhere] = [await playAuthorizationServer(t), await playAuthorizationServer(t), await playAuthorizationServer(t)];
  auth.reply = () => granted('t1');
  api.reply = () => ({ status: 307, headers: { Location: elsewhere.url } });

  await agentTokens({ ...client, tokenEndpoint: `${auth.url}/token` }).fetch(api.url);

  assert.equal(api.received[0]?.headers.authorization, 'Bearer t1');
  assert.equal(elsewhere.received[0]?.headers.authorization, undefined);
});

test('a 401 is let go of also where no other token is to be had', async (t) => {
  const auth = await playAuthorizationServer(t);
  auth.reply = () => (auth.received.length === 1 ? granted('t1') : { status: 400, body: { error: 'invalid_grant' } });
  const released: unknown[] = [];
  const refusing: typeof fetch = async (input, init) => {
    if (String(input).startsWith(auth.url)) return fetch(input, init);
    return new Response(new ReadableStream({ cancel: () => void released.push(true) }), { status: 401 });
  };
  const agent = agentTokens({ ...client, tokenEndpoint: `${auth.url}/token`, fetch: refusing });

  await assert.rejects(agent.fetch('https://tasks.example.com'), { code: 'invalid_grant' });

  assert.equal(released.length, 1);
});

test('a request keeps its method, headers and body, and brings no Authorization of its own', async (t) => {
  const [auth, api] = [await playAuthorizationServer(t), await playAuthorizationServer(t)];
  auth.reply = () => granted('t1');
  const agent = agentTokens({ ...client, tokenEndpoint: `${auth.url}/token` });

  await agent.fetch(new Request(`${api.url}/a?b`, { method: 'PUT', body: 'c=d', headers: { 'X-One': '1', Authorization: 'Basic own' } }));

  const [got] = api.received;
  assert.deepEqual([got?.method, got?.path, got?.form.get('c'), got?.headers['x-one'], got?.headers.authorization], ['PUT', '/a?b', 'd', '1', 'Bearer t1']);
});

test('misuse is a TypeError that names the option and not the secret', () => {
  const good: AgentOptions = { ...client, issuer: 'https://auth.example.com' };
  const wrong: [Record<string, unknown>, RegExp][] = [
    [{ scopes: ['tasks:read'] }, /^"scopes" is no option; .*scope, /],
    [{ issuer: undefined }, /either "issuer" or "tokenEndpoint"/],
    [{ tokenEndpoint: 'https://auth.example.com/token' }, /either "issuer" or "tokenEndpoint"/],
    [{ issuer: 'http://auth.example.com' }, /"issuer" must be https/],
    [{ issuer: 'https://auth.example.com?x' }, /"issuer" must not have a query/],
    [{ issuer: undefined, tokenEndpoint: 'http://auth.example.com/token' }, /"tokenEndpoint" must be https/],
    [{ clientId: '' }, /"clientId"/],
    [{ clientSecret: undefined }, /"clientSecret"/],
    [{ clientSecret: 7 }, /"clientSecret"/],
    [{ scope: 'a  b' }, /"scope"/],
    [{ scope: ['a'] }, /"scope"/],
    [{ resource: 'api' }, /"resource"/],
    [{ timeout: 0 }, /"timeout"/],
  ];

  assert.ok(agentTokens(good));
  for (const [change, message] of wrong) assert.throws(() => agentTokens({ ...good, ...change } as AgentOptions), { name: 'TypeError', message });
});

describe('against the real server', () => {
  async function start(t: TestContext): Promise<string> {
    const { issuer, stop } = await startDevelopment({ port: 0, ephemeral: true, log: { info() {}, warn() {}, error: console.error } });
    t.after(() => stop());
    return issuer;
  }
  const secret = 'mcp-secret-12345';

  test('a machine gets a token for its resource by discovery, and no second one while it is good', async (t) => {
    const issuer = await start(t);
    const agent = agentTokens({ issuer, clientId: 'mcp-task-manager', clientSecret: secret, scope: 'tasks:read', resource: 'http://localhost:4001' });

    const token = await agent.token();

    assert.equal(await agent.token(), token);
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
    assert.deepEqual([claims['iss'], claims['aud'], claims['scope'], claims['sub']], [issuer, 'http://localhost:4001', 'tasks:read', 'mcp-task-manager']);
  });

  test('a revoked token is replaced in the middle of a call', async (t) => {
    const issuer = await start(t);
    const agent = agentTokens({ issuer, clientId: 'mcp-task-manager', clientSecret: secret });
    const revoked = await agent.token();
    const credentials = `Basic ${btoa(`mcp-task-manager:${secret}`)}`;
    await fetch(`${issuer}/revoke`, { method: 'POST', headers: { Authorization: credentials }, body: new URLSearchParams({ token: revoked }) });
    const key = await demoKey(issuer);
    const seen: string[] = [];
    const api = await listen(t, async (request, response) => {
      const token = request.headers.authorization?.replace('Bearer ', '') ?? '';
      seen.push(createHash('sha256').update(token).digest('hex'));
      const asked = await fetch(`${issuer}/introspect`, { method: 'POST', headers: { Authorization: `Bearer ${key}` }, body: new URLSearchParams({ token }) });
      response.writeHead(((await asked.json()) as { active: boolean }).active ? 200 : 401).end();
    });

    const { status } = await agent.fetch(api);

    assert.equal(status, 200);
    assert.equal(new Set(seen).size, 2);
    assert.notEqual(await agent.token(), revoked);
  });

  test('a wrong secret and a scope that is not its own are refused with their codes', async (t) => {
    const issuer = await start(t);

    const wrong = agentTokens({ issuer, clientId: 'mcp-task-manager', clientSecret: 'mcp-secret-54321' });
    await assert.rejects(wrong.token(), (error: unknown) => error instanceof TokenRequestRefused && error.code === 'invalid_client');
    const greedy = agentTokens({ issuer, clientId: 'mcp-task-manager', clientSecret: secret, scope: 'files:read' });
    await assert.rejects(greedy.token(), { code: 'invalid_scope' });
  });

  async function demoKey(issuer: string): Promise<string> {
    const headers = { 'Content-Type': 'application/json' };
    const answer = await fetch(`${issuer}/api/servers/srv_tasks/keys`, { method: 'POST', headers, body: '{"name":"test"}' });
    return ((await answer.json()) as { key_secret: string }).key_secret;
  }
});
