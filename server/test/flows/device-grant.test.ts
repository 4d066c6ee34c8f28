/**
 * The device's side of RFC 8628: asking for codes, polling in its four answers, and what it gets.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { auditEvent } from '../../src/audit/event.ts';
import { deviceCodeGrant } from '../../src/rules/device-grant.ts';
import { proofKey, proven } from '../dpop.ts';
import { form } from '../harness.ts';
import { type DeviceStage, grantTypes, stage } from './device-stage.ts';
import { basic } from './token-stage.ts';

const wait = (on: DeviceStage, seconds = 5) => on.clock.advance(seconds);
const claimsOf = (token: unknown) => JSON.parse(Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString());

describe('a device', () => {
  let on: DeviceStage;
  before(async () => {
    on = await stage();
  });
  after(() => on.close());

  test('[DEV-01] [DEV-03] [HDR-01] gets two codes, where to enter the short one, how long and how often', async () => {
    const { status, headers, body } = await on.ask();

    assert.equal(status, 200);
    assert.deepEqual(
      [headers.get('cache-control'), headers.get('access-control-allow-origin'), headers.get('content-type')],
      ['no-store', '*', 'application/json'],
    );
    const { device_code: deviceCode, user_code: userCode, ...rest } = body;
    assert.match(String(deviceCode), /^dc_[A-Za-z0-9_-]{43}$/);
    assert.match(String(userCode), /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
    const page = 'https://auth.example.com/device';
    assert.deepEqual(rest, { verification_uri: page, verification_uri_complete: `${page}?user_code=${userCode}`, expires_in: 600, interval: 5 });
  });

  test('[DEV-01] [META-15] is told of it in the metadata', async () => {
    const metadata = (await (await on.request('/.well-known/oauth-authorization-server')).json()) as Record<string, unknown>;

    assert.equal(metadata['device_authorization_endpoint'], 'https://auth.example.com/device_authorization');
    assert.ok((metadata['grant_types_supported'] as string[]).includes(deviceCodeGrant));
  });

  test('[DEV-01] [TOK-05] what is wrong with a request is said as at /authorize, and nothing waits afterwards', async () => {
    await on.addServer({ id: 'srv_other', resource: 'https://other.example/mcp', scopes: [{ name: 'mail:read' }] });
    await on.addClient({ id: 'client_secret', secret: 'cs_right', metadata: { grantTypes } });
    const plain = { client_id: on.device.id };
    const asks: [string, number, Record<string, string>, Record<string, string>?][] = [
      ['unauthorized_client', 400, { client_id: on.client.id }],
      ['invalid_client', 401, { client_id: 'client_nobody' }],
      ['invalid_client', 401, { client_id: '' }],
      ['invalid_client', 401, { client_id: 'client_secret' }],
      ['invalid_client', 401, { client_id: '' }, basic('client_secret', 'cs_wrong')],
      ['invalid_client', 401, { client_id: 'https://unreachable.example/client.json' }],
      ['invalid_target', 400, { ...plain, resource: 'https://nobody.example' }],
      ['invalid_target', 400, { ...plain, resource: 'not a url' }],
      ['invalid_scope', 400, { ...plain, scope: 'nothing:here' }],
      ['invalid_scope', 400, { ...plain, scope: 'files:read mail:read' }],
      ['invalid_scope', 400, { ...plain, scope: 'files:read "' }],
      ['invalid_authorization_details', 400, { ...plain, authorization_details: '[]' }],
    ];
    for (const [error, status, values, headers] of asks) {
      const answer = await on.ask(values, { headers });
      assert.deepEqual([answer.status, answer.body.error], [status, error], JSON.stringify(values));
      assert.equal(answer.headers.get('cache-control'), 'no-store');
    }
    const twice = await on.request('/device_authorization', { ...form({}), body: `client_id=${on.device.id}&scope=a&scope=b` });
    const inQuery = await on.request('/device_authorization?client_secret=x', form(plain));
    const text = await on.request('/device_authorization', { method: 'POST', body: 'x', headers: { 'Content-Type': 'text/plain' } });
    for (const response of [twice, inQuery, text])
      assert.deepEqual([response.status, ((await response.json()) as { error: string }).error], [400, 'invalid_request']);
    assert.deepEqual(
      [(await on.request('/device_authorization')).status, (await on.ask({}, { headers: basic('client_secret', 'cs_right') })).status],
      [405, 400],
    );
    assert.equal((await on.ask({ client_id: '' }, { headers: basic('client_secret', 'cs_right') })).status, 200);
  });

  test('[CORS-05] a page of any origin may ask', async () => {
    const preflight = await on.request('/device_authorization', {
      method: 'OPTIONS',
      headers: { Origin: 'https://app.example', 'Access-Control-Request-Method': 'POST' },
    });

    assert.deepEqual([preflight.status, preflight.headers.get('access-control-allow-origin')], [204, '*']);
  });

  test('[RATE-03] a public client may start 600 from one address in a quarter of an hour, and from another it still may', async () => {
    const fresh = await stage();
    for (let asked = 0; asked < 600; asked++) assert.equal((await fresh.ask()).status, 200);
    const { status, body, headers } = await fresh.ask();

    assert.deepEqual([status, body['error']], [429, 'too_many_requests']);
    assert.match(headers.get('retry-after') ?? '', /^\d+$/);
    assert.equal((await fresh.ask({}, { address: '198.51.100.5' })).status, 200);
    await fresh.close();
  });

  test('[DEV-02] [RATE-02] waits with authorization_pending; too fast is slow_down, and the longer interval stays', async () => {
    const { device_code: code } = await on.codes();
    const told = async () => {
      const { status, body, headers } = await on.poll(code);
      assert.deepEqual([status, headers.get('retry-after'), headers.get('cache-control')], [400, null, 'no-store']);
      return body['error'];
    };

    assert.equal(await told(), 'authorization_pending');
    wait(on, 5);
    assert.equal(await told(), 'authorization_pending');
    wait(on, 4);
    assert.equal(await told(), 'slow_down');
    wait(on, 5);
    assert.equal(await told(), 'slow_down', 'ten seconds are due now');
    for (let polls = 0; polls < 3; polls++) {
      wait(on, 15);
      assert.equal(await told(), 'authorization_pending', 'fifteen seconds, for good');
    }
    wait(on, 14);
    assert.equal(await told(), 'slow_down');
  });

  test('[DEV-02] [DEV-05] gets tokens once, for the resource and scopes it asked for; the second time is invalid_grant', async () => {
    const { device_code: code, user_code: userCode } = await on.codes({ scope: 'files:read files:write openid offline_access' });
    await on.decide(await on.signedIn(), userCode, 'allow');
    const { status, body } = await on.poll(code);

    assert.equal(status, 200, JSON.stringify(body));
    assert.deepEqual([body['token_type'], body['scope']], ['Bearer', 'files:read files:write openid offline_access']);
    const claims = claimsOf(body['access_token']);
    assert.deepEqual([claims.aud, claims.client_id, claims.sub, claims.iss], [on.mcp.resource, on.device.id, on.user.id, 'https://auth.example.com']);
    assert.equal(claimsOf(body['id_token']).aud, on.device.id);
    assert.match(String(body['refresh_token']), /^rt_/);
    const again = await on.poll(code);
    assert.deepEqual([again.status, again.body['error']], [400, 'invalid_grant']);
    assert.equal((await on.store.standing({ grantId: claims.grant_id, jti: claims.jti, now: on.clock.now() }))?.active, true);
    const refreshed = await on.request('/token', form({ grant_type: 'refresh_token', refresh_token: String(body['refresh_token']), client_id: on.device.id }));
    assert.equal(refreshed.status, 200);
  });

  test('[DEV-07] a proof at the poll binds the tokens of a public client to its key, and a proof that is wrong costs nothing', async () => {
    const { device_code: code, user_code: userCode } = await on.codes();
    await on.decide(await on.signedIn(), userCode, 'allow');
    const key = await proofKey();

    const wrong = await on.poll(code, {}, await proven(key, { htm: 'GET', iat: on.clock.now() }));
    const { status, body } = await on.poll(code, {}, await proven(key, { iat: on.clock.now() }));

    assert.deepEqual([wrong.status, wrong.body['error']], [400, 'invalid_dpop_proof']);
    assert.deepEqual([status, body['token_type'], claimsOf(body['access_token']).cnf], [200, 'DPoP', { jkt: key.jkt }]);
    const refreshed = await on.request('/token', form({ grant_type: 'refresh_token', refresh_token: String(body['refresh_token']), client_id: on.device.id }));
    assert.equal(refreshed.status, 400, 'the refresh token is bound too');
  });

  test('[DEV-02] of parallel polls after the yes exactly one gets tokens', async () => {
    const { device_code: code, user_code: userCode } = await on.codes();
    await on.decide(await on.signedIn(), userCode, 'allow');

    const answers = await Promise.all(Array.from({ length: 20 }, () => on.poll(code)));

    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    assert.deepEqual(new Set(answers.filter(({ status }) => status !== 200).map(({ body }) => body['error'])), new Set(['invalid_grant']));
  });

  test('[DEV-02] is told access_denied after a no, however often it asks', async () => {
    const { device_code: code, user_code: userCode } = await on.codes();
    await on.decide(await on.signedIn(), userCode, 'deny');

    for (let polls = 0; polls < 2; polls++) {
      const { status, body } = await on.poll(code);
      assert.deepEqual([status, body['error'], body['access_token']], [400, 'access_denied', undefined]);
    }
  });

  test('[DEV-02] [DEV-03] is told expired_token after ten minutes, even when somebody allowed it and it came too late', async () => {
    const [unanswered, allowed] = [await on.codes(), await on.codes()];
    await on.decide(await on.signedIn(), allowed.user_code, 'allow');
    wait(on, 600);

    for (const { device_code: code } of [unanswered, allowed]) assert.deepEqual((await on.poll(code)).body['error'], 'expired_token');
  });

  test('[DEV-05] a code of another client is invalid_grant, changes nothing, and does not slow its owner down', async () => {
    await on.addClient({ id: 'client_thief', metadata: { grantTypes } });
    const { device_code: code, user_code: userCode } = await on.codes();
    for (let polls = 0; polls < 3; polls++) assert.equal((await on.poll(code, { client_id: 'client_thief' })).body['error'], 'invalid_grant');
    assert.equal((await on.poll(code)).body['error'], 'authorization_pending');
    await on.decide(await on.signedIn(), userCode, 'allow');

    assert.equal((await on.poll(code, { client_id: 'client_thief' })).body['error'], 'invalid_grant');
    assert.equal((await on.poll(code)).status, 200);
  });

  test('[DEV-05] a poll may ask for less; for more, or for another resource, it is refused and the code stays good', async () => {
    const { device_code: code, user_code: userCode } = await on.codes({ scope: 'files:read files:write' });
    await on.decide(await on.signedIn(), userCode, 'allow');

    assert.equal((await on.poll(code, { scope: 'files:read files:delete' })).body['error'], 'invalid_scope');
    assert.equal((await on.poll(code, { resource: 'https://other.example/mcp' })).body['error'], 'invalid_target');
    const { status, body } = await on.poll(code, { scope: 'files:read', resource: on.mcp.resource });
    assert.deepEqual([status, body['scope']], [200, 'files:read']);
  });

  test('[DEV-01] [DEV-02] what is no device code, or one of a client without the grant, gets nothing', async () => {
    const errors = async (values: Record<string, string>) => (await on.poll('dc_unknown', values)).body['error'];

    assert.equal(await errors({}), 'invalid_grant');
    assert.equal(await errors({ device_code: '' }), 'invalid_request');
    assert.equal(await errors({ client_id: on.client.id }), 'unauthorized_client');
    assert.equal(await errors({ client_id: 'client_nobody' }), 'invalid_client');
    const inQuery = await on.request('/token?device_code=dc_x', form({ grant_type: deviceCodeGrant, client_id: on.device.id }));
    assert.equal(((await inQuery.json()) as { error: string }).error, 'invalid_request');
  });

  test('a device of a removed client gets nothing any more, and its person is told', async () => {
    const gone = await on.addClient({ metadata: { grantTypes, redirectUris: [] } });
    const [waiting, allowed] = [await on.codes({ client_id: gone.id }), await on.codes({ client_id: gone.id })];
    await on.decide(await on.signedIn(), allowed.user_code, 'allow');
    await on.store.removeClient(gone.id, auditEvent('client.removed', on.clock.now(), 'test'));

    for (const { device_code: code } of [waiting, allowed]) {
      const { status, body } = await on.poll(code, { client_id: gone.id });
      assert.deepEqual([status, body['error']], [401, 'invalid_client']);
    }
    assert.equal((await on.ask({ client_id: gone.id })).status, 401);
    const page = await on.enter(await on.signedIn(), waiting.user_code);
    assert.deepEqual([page.status, page.forms.length], [400, 0]);
    assert.match(page.title, /registration is no longer known/);
  });

  test('[DEV-01] [DCR-13] a device may register itself, with redirect URIs or without; no other grant comes with it', async () => {
    const register = async (members: object) => {
      const init = {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ client_name: 'TV', token_endpoint_auth_method: 'none', ...members }),
      };
      const response = await on.request('/register', init);
      return { status: response.status, ...((await response.json()) as { client_id: string; grant_types: string[]; redirect_uris: string[] }) };
    };
    const bare = await register({ grant_types: [deviceCodeGrant, 'client_credentials'] });
    const both = await register({ grant_types: ['authorization_code', deviceCodeGrant], redirect_uris: ['http://127.0.0.1/callback'] });

    assert.deepEqual([bare.status, bare.grant_types, bare.redirect_uris], [201, [deviceCodeGrant, 'refresh_token'], []]);
    assert.deepEqual([both.status, both.grant_types], [201, ['authorization_code', 'refresh_token', deviceCodeGrant]]);
    assert.equal((await register({ grant_types: [deviceCodeGrant], redirect_uris: ['javascript:alert(1)'] })).status, 400);
    assert.equal((await register({ grant_types: ['authorization_code', deviceCodeGrant] })).status, 400);
    const { device_code: code, user_code: userCode } = await on.codes({ client_id: bare.client_id });
    await on.decide(await on.signedIn(), userCode, 'allow');
    assert.equal((await on.poll(code, { client_id: bare.client_id })).status, 200);
    assert.equal((await on.request(on.url({ client_id: bare.client_id, redirect_uri: 'http://127.0.0.1/callback' }))).status, 400);
  });

  test('[DEV-01] [CIMD-20] a client known by its document is read when it first asks, and its document decides whether it may', async () => {
    const publish = (extra: string[]) => (url: string) => {
      const document = { client_id: url, client_name: 'Headless', redirect_uris: ['http://localhost/callback'], grant_types: ['authorization_code', ...extra] };
      return Promise.resolve({ status: 200, headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(document)) });
    };
    const id = 'https://agent.example/client.json';
    const [may, mayNot] = [await stage({ fetchDocument: publish([deviceCodeGrant]) }), await stage({ fetchDocument: publish([]) })];

    const { device_code: code, user_code: userCode } = await may.codes({ client_id: id });
    await may.decide(await may.signedIn(), userCode, 'allow');
    assert.equal((await may.poll(code, { client_id: id })).status, 200);
    assert.equal((await mayNot.ask({ client_id: id })).body['error'], 'unauthorized_client');
    await Promise.all([may.close(), mayNot.close()]);
  });

  test('[DEV-03] [TOK-08] the database holds neither code', async () => {
    const { device_code: code, user_code: userCode } = await on.codes();
    const rows = await on.context.options.driver.read({ text: 'select * from device_codes', values: [] });

    const text = JSON.stringify(rows);
    for (const secret of [code, code.slice(3), userCode, userCode.replace('-', '')]) assert.ok(!text.includes(secret));
    assert.ok(rows.length > 0);
  });

  test('[TOK-05] whatever a device sends, the answer is never a 5xx and never a token', async () => {
    const { device_code: code } = await on.codes();
    const name = fc.constantFrom('client_id', 'client_secret', 'device_code', 'grant_type', 'scope', 'resource', 'request', 'authorization_details', 'x');
    const value = fc.oneof(fc.string({ unit: 'binary', maxLength: 30 }), fc.constantFrom(on.device.id, code, deviceCodeGrant, 'files:read', on.mcp.resource));

    await fc.assert(
      fc.asyncProperty(fc.constantFrom('/device_authorization', '/token'), fc.array(fc.tuple(name, value), { maxLength: 8 }), async (path, pairs) => {
        const response = await on.request(path, { ...form({}), body: new URLSearchParams(pairs).toString() });
        const answer = await response.text();
        assert.ok(response.status < 500, `${response.status} ${answer}`);
        assert.doesNotMatch(answer, /access_token|:null|node:/);
        on.clock.advance(2);
      }),
      { numRuns: 300 },
    );
  });
});
