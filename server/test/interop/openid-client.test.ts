/** openid-client, the certified relying party, runs the same flows with its own idea of an authorization server. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import * as openid from 'openid-client';
import { openStand, type Stand } from './stand.ts';

const redirectUri = 'http://localhost:4711/callback';
const secret = 'machine-secret-0123456789';

/** `authenticate` undefined makes a public client. */
async function begin(t: TestContext, authenticate?: (secret: string) => openid.ClientAuth): Promise<{ stand: Stand; config: openid.Configuration }> {
  const stand = await openStand(t);
  const machine = { grantTypes: ['authorization_code', 'refresh_token', 'client_credentials'], scope: 'files:read' };
  const client = await stand.addClient(authenticate ? { secret, metadata: machine } : {});
  const authentication = authenticate ? authenticate(secret) : openid.None();
  const config = await openid.discovery(new URL(stand.issuer), client.id, undefined, authentication, { execute: [openid.allowInsecureRequests] });
  return { stand, config };
}

async function signIn(stand: Stand, config: openid.Configuration, parameters: Record<string, string>) {
  const pkceCodeVerifier = openid.randomPKCECodeVerifier();
  const expectedState = openid.randomState();
  const expectedNonce = parameters.scope?.includes('openid') ? openid.randomNonce() : undefined;
  const url = openid.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
    ...(expectedNonce && { nonce: expectedNonce }),
    ...parameters,
  });
  return openid.authorizationCodeGrant(config, await stand.allow(url), { pkceCodeVerifier, expectedState, expectedNonce });
}

describe('openid-client', () => {
  test('[META-13] [AZ-15] [AZ-36] [TOK-05] it discovers, signs a person in, verifies the ID token and reads userinfo', async (t) => {
    const { stand, config } = await begin(t);

    const tokens = await signIn(stand, config, { scope: 'openid profile email' });
    const claims = tokens.claims();
    const person = await openid.fetchUserInfo(config, tokens.access_token, claims?.sub ?? '');

    assert.equal(config.serverMetadata().issuer, stand.issuer);
    assert.equal(claims?.iss, stand.issuer);
    assert.deepEqual([person.sub, person.email, person.name], [claims?.sub, 'ada@example.com', 'Ada Lovelace']);
  });

  test('[RT-01] [REV-01] [REV-04] it refreshes and revokes as a public client', async (t) => {
    const { stand, config } = await begin(t);
    const { row } = await stand.files();
    const tokens = await signIn(stand, config, { scope: 'files:read', resource: row.resource });

    const refreshed = await openid.refreshTokenGrant(config, tokens.refresh_token ?? '');
    await openid.tokenRevocation(config, refreshed.refresh_token ?? '');

    assert.equal(refreshed.scope, 'files:read');
    await assert.rejects(openid.refreshTokenGrant(config, refreshed.refresh_token ?? ''), { error: 'invalid_grant' });
  });

  for (const [method, authenticate] of [
    ['client_secret_basic', openid.ClientSecretBasic],
    ['client_secret_post', openid.ClientSecretPost],
  ] as const) {
    test(`[CA-01] [CA-02] [CC-01] [INT-04] it signs a machine in with ${method}, introspects, revokes, and introspection says so at once`, async (t) => {
      const { stand, config } = await begin(t, authenticate);
      const { row } = await stand.files();

      const tokens = await openid.clientCredentialsGrant(config, { scope: 'files:read', resource: row.resource });
      const before = await openid.tokenIntrospection(config, tokens.access_token);
      await openid.tokenRevocation(config, tokens.access_token);
      const after = await openid.tokenIntrospection(config, tokens.access_token);

      assert.deepEqual([before.active, before.aud, before.scope], [true, row.resource, 'files:read']);
      assert.deepEqual(after, { active: false });
    });
  }
});
