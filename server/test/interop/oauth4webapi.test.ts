/** oauth4webapi, strict in everything the RFCs say, runs the bare flows: nothing of MCP in between. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import * as oauth from 'oauth4webapi';
import { openStand, type Stand } from './stand.ts';

const redirectUri = 'http://localhost:4711/callback';
// The library's word for loopback without TLS.
const http = { [oauth.allowInsecureRequests]: true };

type Flow = { stand: Stand; as: oauth.AuthorizationServer; client: oauth.Client; authentication: oauth.ClientAuth };

async function begin(t: TestContext, secret?: string): Promise<Flow> {
  const stand = await openStand(t);
  const machine = { grantTypes: ['authorization_code', 'refresh_token', 'client_credentials'], scope: 'files:read' };
  const { id } = await stand.addClient({ secret, metadata: secret === undefined ? {} : machine });
  const as = await discover(stand, 'oauth2');
  return { stand, as, client: { client_id: id }, authentication: secret ? oauth.ClientSecretBasic(secret) : oauth.None() };
}

async function discover({ issuer }: Stand, algorithm: 'oauth2' | 'oidc'): Promise<oauth.AuthorizationServer> {
  const identifier = new URL(issuer);
  return oauth.processDiscoveryResponse(identifier, await oauth.discoveryRequest(identifier, { algorithm, ...http }));
}

/** The authorization code grant, from the address to the tokens. */
async function signIn({ stand, as, client, authentication }: Flow, more: Record<string, string>) {
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const nonce = oauth.generateRandomNonce();
  const url = new URL(as.authorization_endpoint ?? '');
  url.search = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: redirectUri,
    response_type: 'code',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    ...more,
    ...(more.scope?.includes('openid') ? { nonce } : {}),
  }).toString();
  const callback = oauth.validateAuthResponse(as, client, await stand.allow(url), state);
  const response = await oauth.authorizationCodeGrantRequest(as, client, authentication, callback, redirectUri, verifier, http);
  const checks = more.scope?.includes('openid') ? { expectedNonce: nonce, requireIdToken: true } : {};
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, checks);
  return { tokens, response };
}

describe('oauth4webapi', () => {
  test('[META-01] [META-05] [META-08] [META-13] both discovery documents name the issuer it asked for and agree with each other', async (t) => {
    const stand = await openStand(t);

    const [plain, oidc] = await Promise.all([discover(stand, 'oauth2'), discover(stand, 'oidc')]);

    assert.equal(plain.issuer, stand.issuer);
    assert.deepEqual(plain.code_challenge_methods_supported, ['S256']);
    for (const member of ['issuer', 'authorization_endpoint', 'token_endpoint', 'jwks_uri', 'registration_endpoint', 'code_challenge_methods_supported'])
      assert.deepEqual(plain[member], oidc[member], member);
    assert.ok(oidc.userinfo_endpoint);
  });

  test('[AZ-15] [AZ-36] [TOK-05] a public client signs a person in: the ID token verifies, and userinfo is about the same person', async (t) => {
    const flow = await begin(t);

    const { tokens, response } = await signIn(flow, { scope: 'openid email' });
    const claims = oauth.getValidatedIdTokenClaims(tokens);
    await oauth.validateApplicationLevelSignature(flow.as, response, http);
    const userinfo = await oauth.userInfoRequest(flow.as, flow.client, tokens.access_token, http);
    const person = await oauth.processUserInfoResponse(flow.as, flow.client, claims?.sub ?? '', userinfo);

    assert.equal(claims?.aud, flow.client.client_id);
    assert.equal(person.email, 'ada@example.com');
  });

  test('[JWT-01] [JWT-02] [JWT-03] its access token is one of RFC 9068 for the resource', async (t) => {
    const flow = await begin(t);
    const { row } = await flow.stand.files();

    const { tokens } = await signIn(flow, { scope: 'files:read', resource: row.resource });
    const request = new Request(row.resource, { headers: { Authorization: `Bearer ${tokens.access_token}` } });
    const claims = await oauth.validateJwtAccessToken(flow.as, request, row.resource, http);

    assert.equal(claims.client_id, flow.client.client_id);
    assert.equal(claims.scope, 'files:read');
  });

  test('[RT-01] [REV-01] [REV-04] it refreshes and revokes, and a revoked refresh token is invalid_grant', async (t) => {
    const flow = await begin(t);
    const { row } = await flow.stand.files();
    const { as, client, authentication } = flow;
    const { tokens } = await signIn(flow, { scope: 'files:read', resource: row.resource });
    const refresh = async (token = '') =>
      oauth.processRefreshTokenResponse(as, client, await oauth.refreshTokenGrantRequest(as, client, authentication, token, http));

    const refreshed = await refresh(tokens.refresh_token);
    await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, authentication, refreshed.refresh_token ?? '', http));

    assert.notEqual(refreshed.refresh_token, tokens.refresh_token);
    await assert.rejects(refresh(refreshed.refresh_token), (error) => error instanceof oauth.ResponseBodyError && error.error === 'invalid_grant');
  });

  for (const [method, authenticate] of [
    ['client_secret_basic', oauth.ClientSecretBasic],
    ['client_secret_post', oauth.ClientSecretPost],
  ] as const) {
    test(`[CA-01] [CA-02] [CC-01] [CC-02] [INT-01] [INT-04] a machine signs itself in with ${method} and introspects its own token`, async (t) => {
      const { stand, as, client } = await begin(t, 'machine-secret-0123456789');
      const { row } = await stand.files();
      const authentication = authenticate('machine-secret-0123456789');
      const parameters = new URLSearchParams({ scope: 'files:read', resource: row.resource });

      const response = await oauth.clientCredentialsGrantRequest(as, client, authentication, parameters, http);
      const tokens = await oauth.processClientCredentialsResponse(as, client, response);
      const introspection = await oauth.introspectionRequest(as, client, authentication, tokens.access_token, http);
      const facts = await oauth.processIntrospectionResponse(as, client, introspection);

      assert.equal(tokens.refresh_token, undefined);
      assert.deepEqual([facts.active, facts.client_id, facts.scope, facts.aud], [true, client.client_id, 'files:read', row.resource]);
    });
  }

  test('[TOK-05] [CA-03] a wrong secret is a challenge, and a wrong verifier is the promised text', async (t) => {
    const flow = await begin(t, 'machine-secret-0123456789');
    const { as, client } = flow;

    const refused = await oauth.clientCredentialsGrantRequest(as, client, oauth.ClientSecretBasic('wrong'), {}, http);
    const state = oauth.generateRandomState();
    const challenge = await oauth.calculatePKCECodeChallenge(oauth.generateRandomCodeVerifier());
    const query = {
      client_id: client.client_id,
      redirect_uri: redirectUri,
      response_type: 'code',
      code_challenge: challenge,
      code_challenge_method: 'S256',
      state,
    };
    const callback = oauth.validateAuthResponse(
      as,
      client,
      await flow.stand.allow(new URL(`${as.authorization_endpoint}?${new URLSearchParams(query)}`)),
      state,
    );
    const other = oauth.generateRandomCodeVerifier();
    const mismatch = await oauth.authorizationCodeGrantRequest(as, client, flow.authentication, callback, redirectUri, other, http);

    await assert.rejects(
      oauth.processClientCredentialsResponse(as, client, refused),
      (error) => error instanceof oauth.WWWAuthenticateChallengeError && error.cause[0]?.scheme === 'basic',
    );
    await assert.rejects(
      oauth.processAuthorizationCodeResponse(as, client, mismatch),
      (error) => error instanceof oauth.ResponseBodyError && error.error_description === 'Invalid PKCE verifier',
    );
  });
});
