import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { activeAnswer, goodReply, listen, optionsFor, type PlayedServer, playAuthorizationServer, registered, resource, startOfTime } from '../test/stage.ts';
import { readVectors, titleOf } from '../test/vectors.ts';
import { AuthAgentClient } from './client.ts';

interface Outage {
  readonly name: string;
  readonly requirements: string[];
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body: string;
  readonly retry_after: number;
  readonly hint?: string;
}

for (const vector of readVectors<{ cases: Outage[] }>('outages').cases) {
  test(`${titleOf(vector)} (outages)`, async (t) => {
    const played = await playAuthorizationServer(t);
    const hints: string[] = [];
    const client = new AuthAgentClient({ ...optionsFor(played), resource, log: (line) => hints.push(line) });
    played.reply = () => ({ status: vector.status, raw: vector.body, ...(vector.headers && { headers: vector.headers }) });

    const expected = { name: 'AuthServerUnavailable', code: 'auth_server_unavailable', status: 503, retryAfter: vector.retry_after };
    await assert.rejects(client.validateToken('abc'), expected);
    played.reply = (request) => goodReply(request, played.url);
    const user = await client.validateToken('abc');

    assert.equal(user.id, 'usr_1');
    assert.equal(played.received.length, 2);
    if (vector.hint) assert.match(hints.join('\n'), new RegExp(vector.hint));
  });
}

test('the introspection request is a form with our key in the header, and nothing else', async (t) => {
  const played = await playAuthorizationServer(t);

  await new AuthAgentClient({ ...optionsFor(played), resource }).validateToken('abc.def');

  const [request] = played.received;
  assert.equal(request?.method, 'POST');
  assert.equal(request?.path, '/introspect');
  assert.equal(request?.headers.authorization, 'Bearer sk_test_secret');
  assert.match(request?.headers['content-type'] ?? '', /^application\/x-www-form-urlencoded/);
  assert.equal(request?.form.toString(), 'token=abc.def');
});

test('[RS-20] [RS-09] the token is nowhere in the context, only its hash', async (t) => {
  const played = await playAuthorizationServer(t);

  const user = await new AuthAgentClient({ ...optionsFor(played), resource }).validateToken('very-secret-token');

  assert.doesNotMatch(inspect(user, { depth: 9 }), /very-secret-token/);
  assert.equal(user.tokenHash, createHash('sha256').update('very-secret-token').digest('base64url'));
  assert.deepEqual([user.id, user.email, user.clientId, user.grantId], ['usr_1', 'testuser@example.com', 'client_a', 'grant_1']);
});

test('printing a client does not print its key', () => {
  const client = new AuthAgentClient({ serverId: 'srv_a', apiKey: 'sk_very_secret', authServerUrl: 'https://auth.example.com' });

  assert.doesNotMatch(inspect(client, { depth: 9, showHidden: true }) + JSON.stringify(client), /sk_very_secret/);
});

test('[RS-17] a server that never answers is an outage after the timeout', async (t) => {
  const played = await playAuthorizationServer(t);
  played.reply = () => 'hang';

  await assert.rejects(new AuthAgentClient({ ...optionsFor(played), resource, timeout: 0.01 }).validateToken('abc'), { code: 'auth_server_unavailable' });
});

test('[RS-17] a server that begins an answer and never ends it is an outage after the timeout', async (t) => {
  const url = await listen(t, (_request, response) => {
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.write('{"active":');
  });

  await assert.rejects(new AuthAgentClient({ ...optionsFor({ url }), resource, timeout: 0.02 }).validateToken('abc'), { code: 'auth_server_unavailable' });
});

test('[RS-17] nobody listening is an outage', async () => {
  const client = new AuthAgentClient({ ...optionsFor({ url: 'http://localhost:1' }), resource });

  await assert.rejects(client.validateToken('abc'), { code: 'auth_server_unavailable', reason: 'unreachable' });
});

test('our key never follows a redirect', async (t) => {
  const elsewhere = await playAuthorizationServer(t);
  const played = await playAuthorizationServer(t);
  played.reply = () => ({ status: 307, headers: { Location: `${elsewhere.url}/introspect` } });

  await assert.rejects(new AuthAgentClient({ ...optionsFor(played), resource }).validateToken('abc'), { code: 'auth_server_unavailable' });
  assert.equal(elsewhere.received.length, 0);
});

test('[RS-07] what cannot be a token is refused without asking', async (t) => {
  const played = await playAuthorizationServer(t);
  const client = new AuthAgentClient({ ...optionsFor(played), resource });

  for (const wrong of ['', 'a b', 'a\r\nb', 'a'.repeat(8193)])
    await assert.rejects(client.validateToken(wrong), { code: 'invalid_token', reason: 'malformed' });
  assert.equal(played.received.length, 0);
});

test('[PRM-12] [RS-08] without a configured resource the registered one is the audience, read once', async (t) => {
  const played = await playAuthorizationServer(t);
  const client = new AuthAgentClient(optionsFor(played));

  assert.equal((await client.validateToken('abc')).resource, resource);
  played.reply = (request) => (request.path === '/introspect' ? { body: activeAnswer(played.url, { aud: 'https://other.example.com' }) } : 'hang');
  await assert.rejects(client.validateToken('def'), { code: 'invalid_token', reason: 'audience' });

  assert.equal(played.asked('/.well-known/oauth-protected-resource/srv_abc123'), 1);
});

test('[RS-17] without a configured resource nothing can be judged while it cannot be read: 503, not 401', async (t) => {
  const played = await playAuthorizationServer(t);
  played.reply = (request) => (request.path === '/introspect' ? goodReply(request, played.url) : { status: 500 });

  await assert.rejects(new AuthAgentClient(optionsFor(played)).validateToken('abc'), { code: 'auth_server_unavailable' });
});

test('registered metadata is read once an hour, by one request at a time, and outlives an outage', async (t) => {
  const played = await playAuthorizationServer(t);
  const path = '/.well-known/oauth-protected-resource/srv_abc123';
  let now = startOfTime;
  const client = new AuthAgentClient({ ...optionsFor(played), now: () => now });

  await Promise.all([client.getServerMetadata(), client.getServerMetadata(), client.getServerMetadata()]);
  now += 3599;
  const metadata = await client.getServerMetadata();
  assert.equal(played.asked(path), 1);
  assert.deepEqual(metadata, { resource, scopes: ['files:read', 'files:write'], name: 'My File Server' });

  now += 1;
  played.reply = () => ({ status: 500 });
  assert.deepEqual(await client.getServerMetadata(), metadata);
  assert.deepEqual(await client.getServerMetadata(), metadata);
  assert.equal(played.asked(path), 2);
});

test('a configured resource that is not the registered one is explained to the developer', async (t) => {
  const played = await playAuthorizationServer(t);
  const hints: string[] = [];
  played.reply = () => ({ body: registered(played.url, { resource: 'https://other.example.com/mcp' }) });

  await new AuthAgentClient({ ...optionsFor(played), resource, log: (line) => hints.push(line) }).getServerMetadata();

  assert.match(hints[0] ?? '', /"resource" is https:\/\/files\.example\.com\/mcp, but srv_abc123 is registered as "https:\/\/other\.example\.com\/mcp"/);
});

test('published keys that are none are explained to the developer, and of an API key, which nobody sent, it is not a word', async (t) => {
  const played = await playAuthorizationServer(t);
  const token = `${Buffer.from('{"typ":"at+jwt","alg":"ES256","kid":"k1"}').toString('base64url')}.e30.c2ln`;
  for (const [reply, said] of [
    [{ body: { keys: 'no' } }, /names no keys/],
    [{ raw: '<html>' }, /without a JSON object/],
    [{ status: 401 }, /answered 401 .*Check "authServerUrl"/],
  ] as const) {
    const hints: string[] = [];
    played.reply = () => reply;
    const { apiKey: _, ...options } = optionsFor(played);
    const client = new AuthAgentClient({ ...options, resource, verify: 'local', log: (line) => hints.push(line) });
    await assert.rejects(client.validateToken(token), { code: 'auth_server_unavailable' });
    assert.equal(hints.length, 1);
    assert.match(hints[0] ?? '', said);
  }
});

test('wrong audiences and issuers are explained to the developer once a minute, in one line', async (t) => {
  const played = await playAuthorizationServer(t);
  const hints: string[] = [];
  let now = startOfTime;
  const client = new AuthAgentClient({ ...optionsFor(played), resource, now: () => now, log: (line) => hints.push(line) });

  played.reply = () => ({ body: activeAnswer(played.url, { aud: 'https://evil.example.com/\r\nforged: line' }) });
  for (let index = 0; index < 3; index += 1) await assert.rejects(client.validateToken(`a${index}`));
  now += 60;
  await assert.rejects(client.validateToken('b'));
  played.reply = () => ({ body: activeAnswer(played.url, { iss: 'http://127.0.0.1:9000' }) });
  await assert.rejects(client.validateToken('c'));

  assert.equal(hints.length, 3);
  assert.doesNotMatch(hints.join(''), /[\r\n]/);
  assert.match(
    hints[0] ?? '',
    /, this server is https:\/\/files\.example\.com\/mcp\. If both are this server, "resource" and its registered "server_url" must be the same/,
  );
  assert.match(hints[2] ?? '', /a token is from "http:\/\/127\.0\.0\.1:9000", "authServerUrl" is http:\/\/localhost:\d+\. They must be the same/);
});

test('what strangers write into tokens is one line a minute and breaks nothing', async (t) => {
  const played = await playAuthorizationServer(t);
  const hints: string[] = [];
  played.reply = () => ({ body: { active: false } });
  const client = new AuthAgentClient({ ...optionsFor(played), resource, log: (line) => hints.push(line) });
  const deep = '['.repeat(2500) + ']'.repeat(2500);
  const bodies = [0, 1, 2, 3, 4].map((number) => `{"iss": "https://${number}.example.com"}`);
  bodies.push(`{"iss": "${played.url}", "aud": ${deep}}`, `{"iss": "${played.url}", "aud": "${resource}", "x": ${deep}}`, '[]', '\0');

  for (const body of bodies) {
    await assert.rejects(client.validateToken(`e30.${Buffer.from(body).toString('base64url')}.c2ln`), { code: 'invalid_token' });
  }

  assert.deepEqual(hints, [`auth-agent: a token is from "https://0.example.com", "authServerUrl" is ${played.url}. They must be the same to the letter.`]);
});

test('once a token was good, one that is not active is no riddle', async (t) => {
  const played = await playAuthorizationServer(t);
  const hints: string[] = [];
  const client = new AuthAgentClient({ ...optionsFor(played), resource, log: (line) => hints.push(line) });
  const said = Buffer.from(JSON.stringify(activeAnswer(played.url))).toString('base64url');

  await client.validateToken('abc');
  played.reply = () => ({ body: { active: false } });
  await assert.rejects(client.validateToken(`e30.${said}.c2ln`), { code: 'invalid_token' });

  assert.deepEqual(hints, []);
});

test('a revoked token is forgotten at once', async (t) => {
  const played = await playAuthorizationServer(t);
  const client = new AuthAgentClient({ ...optionsFor(played), resource });
  await client.validateToken('abc');

  await client.revokeToken('abc');
  played.reply = () => ({ body: { active: false } });

  await assert.rejects(client.validateToken('abc'), { code: 'invalid_token' });
  const revocation = played.received.find((request) => request.path === '/revoke');
  assert.equal(revocation?.form.get('token'), 'abc');
  assert.equal(revocation?.headers.authorization, 'Bearer sk_test_secret');
});

test('a revocation that failed says so', async (t) => {
  const played: PlayedServer = await playAuthorizationServer(t);
  played.reply = () => ({ status: 503 });

  await assert.rejects(new AuthAgentClient({ ...optionsFor(played), resource }).revokeToken('abc'), { code: 'auth_server_unavailable' });
});
