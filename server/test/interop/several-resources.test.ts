/** Two MCP servers in one request, as two strict libraries ask for them: one page, one refresh token, and a token for each server that the other refuses. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { decodeJwt } from '../../src/crypto/jwt.ts';
import { openStand, type Registered } from './stand.ts';

const redirectUri = 'http://localhost:4711/callback';
const scope = 'openid files:read offline_access';

async function begin(t: TestContext) {
  const stand = await openStand(t);
  const [one, two] = [await stand.files(), await stand.files()];
  const client = await stand.addClient();
  return { stand, one, two, client };
}

/** What the MCP server says to a token: 401 when it is not for it. */
async function entered({ url }: Registered, token: string): Promise<number> {
  const message = { jsonrpc: '2.0', id: 1, method: 'ping' };
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(message) });
  await response.body?.cancel();
  return response.status;
}

async function assertEachForItsOwn([first, second]: [Registered, Registered], [one, two]: [string, string]): Promise<void> {
  assert.deepEqual([decodeJwt(one)?.claims['aud'], decodeJwt(two)?.claims['aud']], [first.row.resource, second.row.resource]);
  assert.notEqual(await entered(first, one), 401);
  assert.notEqual(await entered(second, two), 401);
  assert.deepEqual([await entered(first, two), await entered(second, one)], [401, 401]);
  for (const { said } of [first, second]) assert.match(said.splice(0).join(), /^auth-agent: a token is for "[^"]+", this server is \S+\. If both/);
}

test('[AZ-16] [TOK-07] [RT-06] [RS-08] openid-client asks for two servers and gets a token for each', async (t) => {
  const { stand, one, two, client } = await begin(t);
  const config = await openid.discovery(new URL(stand.issuer), client.id, undefined, openid.None(), { execute: [openid.allowInsecureRequests] });
  const pkceCodeVerifier = openid.randomPKCECodeVerifier();
  const parameters = new URLSearchParams({ redirect_uri: redirectUri, scope, code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier) });
  parameters.set('code_challenge_method', 'S256');
  for (const { row } of [one, two]) parameters.append('resource', row.resource);

  const callback = await stand.allow(openid.buildAuthorizationUrl(config, parameters));
  const first = await openid.authorizationCodeGrant(config, callback, { pkceCodeVerifier, idTokenExpected: true });
  const second = await openid.refreshTokenGrant(config, first.refresh_token ?? '', { resource: two.row.resource });
  const again = await openid.refreshTokenGrant(config, second.refresh_token ?? '');

  await assertEachForItsOwn([one, two], [first.access_token, second.access_token]);
  assert.equal(decodeJwt(again.access_token)?.claims['aud'], one.row.resource);
  assert.deepEqual([first.scope, second.scope], [scope.replace(' files:read offline_access', ' offline_access files:read'), 'files:read']);
  await assert.rejects(openid.refreshTokenGrant(config, again.refresh_token ?? '', { resource: stand.issuer }), { error: 'invalid_target' });
});

test('[AZ-16] [TOK-07] [RT-06] [PAR-01] oauth4webapi pushes a request for two servers, redeems the code for the second and refreshes for the first', async (t) => {
  const { stand, one, two, client: row } = await begin(t);
  const http = { [oauth.allowInsecureRequests]: true };
  const issuer = new URL(stand.issuer);
  const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...http }));
  const [client, authentication] = [{ client_id: row.id }, oauth.None()];
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const asked = new URLSearchParams({ redirect_uri: redirectUri, response_type: 'code', scope, state, code_challenge_method: 'S256' });
  asked.set('code_challenge', await oauth.calculatePKCECodeChallenge(verifier));
  for (const { row: server } of [one, two]) asked.append('resource', server.resource);

  const pushed = await oauth.processPushedAuthorizationResponse(as, client, await oauth.pushedAuthorizationRequest(as, client, authentication, asked, http));
  const url = new URL(as.authorization_endpoint ?? '');
  url.search = new URLSearchParams({ client_id: row.id, request_uri: pushed.request_uri }).toString();
  const callback = oauth.validateAuthResponse(as, client, await stand.allow(url), state);
  const forSecond = { ...http, additionalParameters: { resource: two.row.resource } };
  const redeemed = await oauth.authorizationCodeGrantRequest(as, client, authentication, callback, redirectUri, verifier, forSecond);
  const second = await oauth.processAuthorizationCodeResponse(as, client, redeemed, { requireIdToken: true });
  const refreshed = await oauth.refreshTokenGrantRequest(as, client, authentication, second.refresh_token ?? '', {
    ...http,
    additionalParameters: { resource: one.row.resource },
  });
  const first = await oauth.processRefreshTokenResponse(as, client, refreshed);

  await assertEachForItsOwn([one, two], [first.access_token, second.access_token]);
  const both = new URLSearchParams({ resource: one.row.resource });
  both.append('resource', two.row.resource);
  const refused = oauth.refreshTokenGrantRequest(as, client, authentication, first.refresh_token ?? '', { ...http, additionalParameters: both });
  await assert.rejects(oauth.processRefreshTokenResponse(as, client, await refused), { error: 'invalid_target' });
});
