/** A server that wants a fresh sign-in (RFC 9470), from the 401 to the password and back, as a client does that reads the challenge and goes by it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { protect } from 'auth-agent-mcp-sdk';
import * as openid from 'openid-client';
import { openBrowser, signInAndDecide } from '../browser.ts';
import { openStand } from './stand.ts';

const redirectUri = 'http://localhost:4711/callback';

describe('step-up authentication', () => {
  test('[RS-15] [AZ-23] [INT-04] an old sign-in is refused with max_age and acr_values, and what they ask for is accepted', async (t) => {
    const stand = await openStand(t);
    const { url, row } = await stand.serve('/mcp', (options) => protect({ ...options, acrValues: ['aal1'], maxAge: 300 }, () => new Response('well')));
    const { id } = await stand.addClient({});
    const config = await openid.discovery(new URL(stand.issuer), id, undefined, openid.None(), { execute: [openid.allowInsecureRequests] });
    const person = { username: 'ada', password: 'correct horse battery staple', decision: 'allow' as const };
    const browser = openBrowser(fetch, stand.issuer);
    const signIn = async (more: Record<string, string>) => {
      const pkceCodeVerifier = openid.randomPKCECodeVerifier();
      const code_challenge = await openid.calculatePKCECodeChallenge(pkceCodeVerifier);
      const base = { redirect_uri: redirectUri, code_challenge, code_challenge_method: 'S256', scope: 'files:read', resource: row.resource };
      const address = openid.buildAuthorizationUrl(config, { ...base, ...more });
      const callback = new URL(await signInAndDecide(address.href, person, { browser }));
      return (await openid.authorizationCodeGrant(config, callback, { pkceCodeVerifier })).access_token;
    };
    const call = (token: string) => fetch(url, { headers: { Authorization: `Bearer ${token}` } });

    assert.equal((await call(await signIn({}))).status, 200);
    stand.clock.advance(600);
    const refused = await call(await signIn({}));
    const challenge = refused.headers.get('www-authenticate') ?? '';
    assert.equal(refused.status, 401);
    assert.match(challenge, /error="insufficient_user_authentication"/);

    const [, acr_values = ''] = /acr_values="([^"]*)"/.exec(challenge) ?? [];
    const [, max_age = ''] = /max_age="([^"]*)"/.exec(challenge) ?? [];
    assert.equal((await call(await signIn({ acr_values, max_age }))).status, 200);
  });
});
