/** The device authorization grant (RFC 8628) as the two libraries of its strictest readers speak it, up to a call of a guarded MCP server. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { type DevicePrompt, deviceLogin, resumeLogin, type SavedLogin } from 'auth-agent-mcp-sdk/agent';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { deviceCodeGrant } from '../../src/rules/device-grant.ts';
import { signer } from '../signer.ts';
import { openStand, type Registered, type Stand } from './stand.ts';

const http = { [oauth.allowInsecureRequests]: true };
const grantTypes = [deviceCodeGrant, 'refresh_token'];

type Flow = { stand: Stand; files: Registered; as: oauth.AuthorizationServer; client: oauth.Client; parameters: URLSearchParams };

async function begin(t: TestContext): Promise<Flow> {
  const stand = await openStand(t);
  const files = await stand.files();
  const { id } = await stand.addClient({ metadata: { grantTypes, redirectUris: [], responseTypes: [] } });
  const issuer = new URL(stand.issuer);
  const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...http }));
  return { stand, files, as, client: { client_id: id }, parameters: new URLSearchParams({ scope: 'files:read', resource: files.row.resource }) };
}

/** What the guarded server says to a token. */
async function statusAt({ url }: Registered, token: string): Promise<number> {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' };
  return (await fetch(url, { method: 'POST', headers, body: '{"jsonrpc":"2.0","id":1,"method":"ping"}' })).status;
}

describe('oauth4webapi as a device', () => {
  const ask = async ({ as, client, parameters }: Flow) =>
    oauth.processDeviceAuthorizationResponse(as, client, await oauth.deviceAuthorizationRequest(as, client, oauth.None(), parameters, http));
  const poll = async ({ as, client }: Flow, code: string) =>
    oauth.processDeviceCodeResponse(as, client, await oauth.deviceCodeGrantRequest(as, client, oauth.None(), code, http));
  const errorOf = (flow: Flow, code: string) => poll(flow, code).catch((error: unknown) => (error instanceof oauth.ResponseBodyError ? error.error : error));

  test('[DEV-01] [DEV-02] it waits, is slowed down, gets its tokens once, and the guarded server takes them', async (t) => {
    const flow = await begin(t);
    const codes = await ask(flow);

    assert.deepEqual([await errorOf(flow, codes.device_code), await errorOf(flow, codes.device_code)], ['authorization_pending', 'slow_down']);
    await flow.stand.answerDevice(codes, 'allow');
    const tokens = await poll(flow, codes.device_code);
    const request = new Request(flow.files.row.resource, { headers: { Authorization: `Bearer ${tokens.access_token}` } });
    const claims = await oauth.validateJwtAccessToken(flow.as, request, flow.files.row.resource, http);

    assert.deepEqual([tokens.scope, claims.client_id], ['files:read', flow.client.client_id]);
    assert.equal(await statusAt(flow.files, tokens.access_token), 200);
    assert.equal(await errorOf(flow, codes.device_code), 'invalid_grant');
  });

  test('[DEV-02] it understands no and too late', async (t) => {
    const flow = await begin(t);
    const [denied, late] = [await ask(flow), await ask(flow)];

    await flow.stand.answerDevice(denied, 'deny');
    assert.equal(await errorOf(flow, denied.device_code), 'access_denied');
    flow.stand.clock.advance(600);
    assert.equal(await errorOf(flow, late.device_code), 'expired_token');
  });
});

describe('openid-client as a device', () => {
  test('[DEV-01] [DEV-02] it polls by itself until the person has answered; ending the agent ends its tokens', async (t) => {
    const { stand, files, client, parameters } = await begin(t);
    const config = await openid.discovery(new URL(stand.issuer), client.client_id, undefined, openid.None(), { execute: [openid.allowInsecureRequests] });

    const codes = await openid.initiateDeviceAuthorization(config, parameters);
    await stand.answerDevice(codes, 'allow');
    // Its clock is the real one: nobody waits five seconds for a yes that was said.
    const tokens = await openid.pollDeviceAuthorizationGrant(config, { ...codes, interval: 0.01 });

    assert.equal(codes.verification_uri_complete, `${codes.verification_uri}?user_code=${codes.user_code}`);
    assert.equal(await statusAt(files, tokens.access_token), 200);
    const refreshed = await openid.refreshTokenGrant(config, tokens.refresh_token ?? '');
    await stand.disconnect();
    assert.equal(await statusAt(files, refreshed.access_token), 401);
    await assert.rejects(openid.refreshTokenGrant(config, refreshed.refresh_token ?? ''), { error: 'invalid_grant' });
  });
});

describe('deviceLogin of our SDK', () => {
  async function sdk(t: TestContext) {
    const stand = await openStand(t);
    const files = await stand.files();
    const kept: SavedLogin[] = [];
    const waits: number[] = [];
    const options = {
      resource: files.url.href,
      now: stand.clock.now,
      wait: async (seconds: number) => {
        waits.push(seconds);
        stand.clock.advance(seconds);
      },
      onPrompt: ({ verificationUri, userCode }: DevicePrompt) => stand.answerDevice({ verification_uri: verificationUri, user_code: userCode }, 'allow'),
      onChange: (login: SavedLogin) => void kept.push(JSON.parse(JSON.stringify(login))),
    };
    const ping = {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' },
      body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
    };
    return { stand, files, kept, waits, options, ping };
  }

  test('[DEV-01] [CL-10] [CL-20] from an address to calls: it registers itself, renews, and is resumed from what was kept', async (t) => {
    const { stand, files, kept, waits, options, ping } = await sdk(t);

    const login = await deviceLogin({ ...options, clientName: 'Build bot' });
    assert.equal((await login.fetch(files.url, ping)).status, 200);
    stand.clock.advance(3600);
    assert.equal((await login.fetch(files.url, ping)).status, 200);
    const resumed = resumeLogin(kept.at(-1) as SavedLogin, options);
    stand.clock.advance(3600);
    assert.equal((await resumed.fetch(files.url, ping)).status, 200);

    assert.deepEqual([waits, kept.length, new Set(kept.map(({ refreshToken }) => refreshToken)).size], [[5], 3, 3]);
    assert.equal(kept[0]?.scope, 'files:read');
    await stand.disconnect();
    await assert.rejects(resumed.fetch(files.url, ping), { name: 'TokenRequestRefused', code: 'invalid_grant' });
  });

  test('[DEV-02] [CA-06] with a key of the client and tokens bound to another; and the person may say no', async (t) => {
    const { stand, files, options, ping } = await sdk(t);
    const key = signer();
    await stand.addClient({
      id: 'keyed',
      metadata: { grantTypes, redirectUris: [], responseTypes: [], tokenEndpointAuthMethod: 'private_key_jwt', jwks: { keys: [key.jwk] } },
    });
    const dpop = (await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])) as CryptoKeyPair;
    const bound = { ...options, clientId: 'keyed', clientKey: key.privateKey, dpop };

    const login = await deviceLogin(bound);
    stand.clock.advance(3600);
    const resumed = resumeLogin(login.saved(), bound);
    assert.deepEqual([login.saved().bound, (await resumed.fetch(files.url, ping)).status], [true, 200]);
    const denied = deviceLogin({
      ...bound,
      onPrompt: ({ verificationUri, userCode }) => stand.answerDevice({ verification_uri: verificationUri, user_code: userCode }, 'deny'),
    });
    await assert.rejects(denied, { code: 'access_denied' });
  });
});
