/** Pushed requests (RFC 9126) by oauth4webapi and openid-client, alone and with a key (private_key_jwt) and proofs (DPoP): the reference brings a person to the same tokens. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import type { ClientMetadata } from '../../src/storage/store.ts';
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

  test('[PAR-01] [PAR-06] [CA-06] [DPA-02] [COD-09] oauth4webapi: a key instead of a secret, a proof at every step, and the code bound to it from the push on', async (t) => {
    const stand = await openStand(t);
    const { keyPair, jwks } = await clientKey();
    const metadata: Partial<ClientMetadata> = { tokenEndpointAuthMethod: 'private_key_jwt', jwks, requirePushedRequests: true };
    const { id } = await stand.addClient({ metadata });
    const http = { [oauth.allowInsecureRequests]: true };
    const as = await oauth.processDiscoveryResponse(new URL(stand.issuer), await oauth.discoveryRequest(new URL(stand.issuer), { algorithm: 'oidc', ...http }));
    const client: oauth.Client = { client_id: id };
    const authentication = oauth.PrivateKeyJwt({ key: keyPair.privateKey, kid: 'one' });
    const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'));
    const verifier = oauth.generateRandomCodeVerifier();
    const state = oauth.generateRandomState();
    const challenge = await oauth.calculatePKCECodeChallenge(verifier);
    const parameters = {
      redirect_uri: redirectUri,
      response_type: 'code',
      code_challenge: challenge,
      code_challenge_method: 'S256',
      scope: 'openid email',
      state,
    };

    const pushed = await oauth.processPushedAuthorizationResponse(
      as,
      client,
      await oauth.pushedAuthorizationRequest(as, client, authentication, parameters, { DPoP, ...http }),
    );
    const url = new URL(as.authorization_endpoint ?? '');
    url.search = new URLSearchParams({ client_id: id, request_uri: pushed.request_uri }).toString();
    const callback = oauth.validateAuthResponse(as, client, await stand.allow(url), state);
    const redeem = (more: { DPoP?: oauth.DPoPHandle }) =>
      oauth.authorizationCodeGrantRequest(as, client, authentication, callback, redirectUri, verifier, { ...more, ...http });
    const without = await oauth.processAuthorizationCodeResponse(as, client, await redeem({})).catch((error: unknown) => error);
    const tokens = await oauth.processAuthorizationCodeResponse(as, client, await redeem({ DPoP }), { requireIdToken: true });
    const userinfo = await oauth.userInfoRequest(as, client, tokens.access_token, { DPoP, ...http });
    const person = await oauth.processUserInfoResponse(as, client, oauth.getValidatedIdTokenClaims(tokens)?.sub ?? '', userinfo);

    assert.ok(without instanceof oauth.ResponseBodyError, String(without));
    assert.equal(tokens.token_type, 'dpop');
    assert.equal(person.email, 'ada@example.com');
  });

  test('[PAR-01] [CA-06] [DPA-02] openid-client does the same', async (t) => {
    const stand = await openStand(t);
    const { keyPair, jwks } = await clientKey();
    const { id } = await stand.addClient({ metadata: { tokenEndpointAuthMethod: 'private_key_jwt', jwks } });
    const authentication = openid.PrivateKeyJwt({ key: keyPair.privateKey, kid: 'one' });
    const config = await openid.discovery(new URL(stand.issuer), id, undefined, authentication, { execute: [openid.allowInsecureRequests] });
    const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256'));
    const pkceCodeVerifier = openid.randomPKCECodeVerifier();
    const code_challenge = await openid.calculatePKCECodeChallenge(pkceCodeVerifier);

    const parameters = { redirect_uri: redirectUri, code_challenge, code_challenge_method: 'S256', scope: 'openid email' };
    const url = await openid.buildAuthorizationUrlWithPAR(config, parameters, { DPoP });
    const tokens = await openid.authorizationCodeGrant(config, await stand.allow(url), { pkceCodeVerifier }, undefined, { DPoP });
    const person = await openid.fetchUserInfo(config, tokens.access_token, tokens.claims()?.sub ?? '', { DPoP });

    assert.equal(tokens.token_type, 'dpop');
    assert.equal(person.email, 'ada@example.com');
  });
});

/** A key of the client and the set it registers. */
async function clientKey(): Promise<{ keyPair: CryptoKeyPair; jwks: NonNullable<ClientMetadata['jwks']> }> {
  const keyPair = await oauth.generateKeyPair('ES256', { extractable: true });
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', keyPair.publicKey);
  return { keyPair, jwks: { keys: [{ kty, crv, x, y, kid: 'one', alg: 'ES256' }] } };
}
