/** Pushed requests (RFC 9126) by oauth4webapi and openid-client: what they send is what /par expects, and the reference brings a person to the same tokens. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { openStand } from './stand.ts';

const redirectUri = 'http://localhost:4711/callback';
const secret = 'web-secret-0123456789';

describe('pushed requests', () => {
  for (const confidential of [false, true]) {
    test(`[PAR-01] [PAR-03] [META-17] oauth4webapi pushes, signs in and redeems as a ${confidential ? 'confidential' : 'public'} client`, async (t) => {
      const stand = await openStand(t);
      const { id } = await stand.addClient({ secret: confidential ? secret : undefined, metadata: { requirePushedRequests: true } });
      const http = { [oauth.allowInsecureRequests]: true };
      const as = await oauth.processDiscoveryResponse(
        new URL(stand.issuer),
        await oauth.discoveryRequest(new URL(stand.issuer), { algorithm: 'oauth2', ...http }),
      );
      const client = { client_id: id };
      const authentication = confidential ? oauth.ClientSecretBasic(secret) : oauth.None();
      const verifier = oauth.generateRandomCodeVerifier();
      const state = oauth.generateRandomState();
      const parameters = {
        redirect_uri: redirectUri,
        response_type: 'code',
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        scope: 'openid',
        state,
      };

      const pushed = await oauth.processPushedAuthorizationResponse(
        as,
        client,
        await oauth.pushedAuthorizationRequest(as, client, authentication, parameters, http),
      );
      const url = new URL(as.authorization_endpoint ?? '');
      url.search = new URLSearchParams({ client_id: id, request_uri: pushed.request_uri }).toString();
      const callback = oauth.validateAuthResponse(as, client, await stand.allow(url), state);
      const response = await oauth.authorizationCodeGrantRequest(as, client, authentication, callback, redirectUri, verifier, http);
      const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, { requireIdToken: true });

      assert.equal(pushed.expires_in, 60);
      assert.equal(oauth.getValidatedIdTokenClaims(tokens)?.aud, id);
    });
  }

  test('[PAR-01] [PAR-02] openid-client pushes and signs in, and hears of a wrong request as JSON', async (t) => {
    const stand = await openStand(t);
    const { id } = await stand.addClient({ secret });
    const config = await openid.discovery(new URL(stand.issuer), id, undefined, openid.ClientSecretPost(secret), { execute: [openid.allowInsecureRequests] });
    const pkceCodeVerifier = openid.randomPKCECodeVerifier();
    const expectedState = openid.randomState();
    const parameters = {
      redirect_uri: redirectUri,
      code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
      scope: 'openid email',
      state: expectedState,
    };

    const url = await openid.buildAuthorizationUrlWithPAR(config, parameters);
    const tokens = await openid.authorizationCodeGrant(config, await stand.allow(url), { pkceCodeVerifier, expectedState });

    assert.deepEqual([...url.searchParams.keys()].toSorted(), ['client_id', 'request_uri']);
    assert.equal(tokens.claims()?.aud, id);
    await assert.rejects(openid.buildAuthorizationUrlWithPAR(config, { ...parameters, scope: 'nothing:here' }), { error: 'invalid_scope' });
  });
});
