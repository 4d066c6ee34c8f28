/** Sign-out by openid-client, and logout tokens as jose, knowing nothing of us, would judge them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as openid from 'openid-client';
import { openStand } from './stand.ts';

const redirectUri = 'http://localhost:4711/callback';
const goodbye = 'http://localhost:4711/goodbye';

describe('logout', () => {
  test('[LO-01] [LO-02] [LO-05] openid-client ends the session it began, and the back channel says so with a token that verifies', async (t) => {
    const told: string[] = [];
    let heard = () => {};
    const arrived = new Promise<void>((resolve) => {
      heard = resolve;
    });
    const postForm = async (_url: string, form: string) => {
      told.push(new URLSearchParams(form).get('logout_token') ?? '');
      heard();
      return { status: 204 };
    };
    const stand = await openStand(t, { postForm });
    const metadata = { postLogoutRedirectUris: [goodbye], backchannelLogoutUri: 'https://app.example.org/logout' };
    const { id } = await stand.addClient({ metadata });
    const config = await openid.discovery(new URL(stand.issuer), id, undefined, openid.None(), { execute: [openid.allowInsecureRequests] });
    const pkceCodeVerifier = openid.randomPKCECodeVerifier();
    const code_challenge = await openid.calculatePKCECodeChallenge(pkceCodeVerifier);
    const url = openid.buildAuthorizationUrl(config, { redirect_uri: redirectUri, code_challenge, code_challenge_method: 'S256', scope: 'openid' });
    const tokens = await openid.authorizationCodeGrant(config, await stand.allow(url), { pkceCodeVerifier, idTokenExpected: true });

    const end = openid.buildEndSessionUrl(config, { id_token_hint: tokens.id_token ?? '', post_logout_redirect_uri: goodbye, state: 'bye' });
    const page = await stand.browser.open(end.href);
    await arrived;
    const keys = createRemoteJWKSet(new URL(config.serverMetadata().jwks_uri ?? ''));
    const { payload } = await jwtVerify(told[0] ?? '', keys, { issuer: stand.issuer, audience: id, typ: 'logout+jwt' });

    assert.deepEqual([page.left, page.url], [true, `${goodbye}?state=bye`]);
    assert.deepEqual([payload.sub, payload['sid']], [tokens.claims()?.sub, tokens.claims()?.['sid']]);
    assert.match((await stand.browser.open('/account/agents')).url, /\/login$/);
  });
});
