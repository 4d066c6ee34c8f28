/** oauth4webapi and openid-client prove possession with their own proofs: code, refresh, machine and userinfo, without server nonces and with them. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { protect } from 'auth-agent-mcp-sdk';
import { agentTokens } from 'auth-agent-mcp-sdk/agent';
import { decodeJwt } from 'jose';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { openStand, type Stand } from './stand.ts';

const redirectUri = 'http://localhost:4711/callback';
const secret = 'machine-secret-0123456789';
const http = { [oauth.allowInsecureRequests]: true };

for (const dpopNonces of [false, true]) {
  describe(`proof of possession ${dpopNonces ? 'with' : 'without'} server nonces`, () => {
    test('[DPA-02] [DPA-03] [DPA-04] [DPA-05] [UI-01] oauth4webapi: code bound by dpop_jkt, userinfo, refresh', async (t) => {
      const stand = await openStand(t, { dpopNonces });
      const { id } = await stand.addClient();
      const issuer = new URL(stand.issuer);
      const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...http }));
      const client: oauth.Client = { client_id: id };
      const keys = await oauth.generateKeyPair('ES256');
      const DPoP = oauth.DPoP(client, keys);
      const verifier = oauth.generateRandomCodeVerifier();
      const url = new URL(as.authorization_endpoint ?? '');
      url.search = new URLSearchParams({
        ...{ client_id: id, redirect_uri: redirectUri, response_type: 'code', scope: 'openid email', code_challenge_method: 'S256' },
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        dpop_jkt: await DPoP.calculateThumbprint(),
      }).toString();
      const callback = oauth.validateAuthResponse(as, client, await stand.allow(url), oauth.expectNoState);

      const redeem = async () =>
        oauth.processAuthorizationCodeResponse(
          as,
          client,
          await oauth.authorizationCodeGrantRequest(as, client, oauth.None(), callback, redirectUri, verifier, { DPoP, ...http }),
        );
      const tokens = await withNonce(redeem);
      const subject = oauth.getValidatedIdTokenClaims(tokens)?.sub ?? '';
      const person = await withNonce(async () =>
        oauth.processUserInfoResponse(as, client, subject, await oauth.userInfoRequest(as, client, tokens.access_token, { DPoP, ...http })),
      );
      const refreshed = await withNonce(async () =>
        oauth.processRefreshTokenResponse(
          as,
          client,
          await oauth.refreshTokenGrantRequest(as, client, oauth.None(), tokens.refresh_token ?? '', { DPoP, ...http }),
        ),
      );

      assert.deepEqual([tokens.token_type, refreshed.token_type], ['dpop', 'dpop']);
      assert.equal(person.email, 'ada@example.com');
      assert.deepEqual(decodeJwt(refreshed.access_token).cnf, { jkt: await DPoP.calculateThumbprint() });
    });

    test('[DPA-02] [DPA-04] [UI-01] openid-client: code, userinfo, refresh and a machine', async (t) => {
      const { stand, config } = await relyingParty(t, { dpopNonces });
      const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256'));
      const pkceCodeVerifier = openid.randomPKCECodeVerifier();
      const { row } = await stand.files();
      const code_challenge = await openid.calculatePKCECodeChallenge(pkceCodeVerifier);
      const asked = { redirect_uri: redirectUri, scope: 'openid email', code_challenge, code_challenge_method: 'S256' };
      const back = await stand.allow(openid.buildAuthorizationUrl(config, asked));

      const tokens = await openid.authorizationCodeGrant(config, back, { pkceCodeVerifier, idTokenExpected: true }, undefined, { DPoP });
      const person = await openid.fetchUserInfo(config, tokens.access_token, tokens.claims()?.sub ?? '', { DPoP });
      const refreshed = await openid.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, { DPoP });
      const own = await openid.clientCredentialsGrant(config, { scope: 'files:read', resource: row.resource }, { DPoP });

      assert.deepEqual([tokens.token_type, refreshed.token_type, own.token_type], ['dpop', 'dpop', 'dpop']);
      assert.equal(person.email, 'ada@example.com');
      assert.ok(decodeJwt(own.access_token).cnf);
    });
  });
}

for (const how of [{}, { verify: 'local' }] as const) {
  test(`[DPA-04] [DPR-01] [DPR-04] [CL-21] our agent calls a guarded server with bound tokens (${'verify' in how ? how.verify : 'introspection'}), nonces demanded on both sides; what a thief takes opens nothing`, async (t) => {
    const stand = await openStand(t, { dpopNonces: true });
    const client = await stand.addClient({ secret, metadata: { grantTypes: ['client_credentials'], scope: 'files:read' } });
    const { url, row } = await stand.serve('/mcp', (options) =>
      protect({ ...options, ...how, dpopNonceSecret: 'a nonce secret of thirty-two chars' }, (_request, auth) => Response.json({ jkt: auth.jkt })),
    );
    const seen: Headers[] = [];
    const agent = agentTokens({
      issuer: stand.issuer,
      clientId: client.id,
      clientSecret: secret,
      resource: row.resource,
      dpop: true,
      fetch: (input, init) => {
        if (String(input).startsWith(row.resource)) seen.push(new Headers(init?.headers));
        return fetch(input, init);
      },
    });

    const first = await agent.fetch(url);
    const second = await agent.fetch(url, { method: 'POST', body: '{}' });
    const taken = seen.at(-1) ?? new Headers();
    const replayed = await fetch(url, { method: 'POST', body: '{}', headers: taken });
    const asBearer = await fetch(url, { headers: { Authorization: `Bearer ${await agent.token()}` } });

    assert.deepEqual([first.status, second.status, seen.length], [200, 200, 3]);
    assert.deepEqual(await first.json(), { jkt: (decodeJwt(await agent.token()).cnf as { jkt: string }).jkt });
    assert.deepEqual([replayed.status, asBearer.status], [401, 401]);
    assert.match(replayed.headers.get('www-authenticate') ?? '', /^Bearer .*, DPoP error="invalid_dpop_proof"/);
  });
}

async function relyingParty(t: TestContext, options: { dpopNonces: boolean }): Promise<{ stand: Stand; config: openid.Configuration }> {
  const stand = await openStand(t, options);
  const client = await stand.addClient({
    secret,
    metadata: { grantTypes: ['authorization_code', 'refresh_token', 'client_credentials'], scope: 'files:read' },
  });
  const authentication = openid.ClientSecretBasic(secret);
  const config = await openid.discovery(new URL(stand.issuer), client.id, undefined, authentication, { execute: [openid.allowInsecureRequests] });
  return { stand, config };
}

/** The library keeps the nonce and leaves it to the caller to repeat. */
async function withNonce<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error;
    return ask();
  }
}
