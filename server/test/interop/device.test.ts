/** The device authorization grant (RFC 8628) as the two libraries of its strictest readers speak it, up to a call of a guarded MCP server. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { deviceCodeGrant } from '../../src/rules/device-grant.ts';
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
