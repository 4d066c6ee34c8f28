/**
 * Signing in across servers, with real ones on real sockets: node-oidc-provider as our upstream, one instance of ours as the upstream of another, and node-oidc-provider
 * whose people sign in at ours (it has no upstreams of its own: its interaction page does it with openid-client, as its documentation proposes).
 */
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { test } from 'node:test';
import * as openid from 'openid-client';
import { auditEvent } from '../../src/audit/event.ts';
import { sha256At } from '../../src/crypto/hash.ts';
import { pinnedUpstreamFetch } from '../../src/runtimes/pinned-fetch.ts';
import type { Upstream } from '../../src/storage/store.ts';
import { sealCredential } from '../../src/upstream/client.ts';
import { type Browser, openBrowser, type Page } from '../browser.ts';
import { pkce } from '../harness.ts';
import { clientSecret, graceOnly, openProvider } from './oidc-provider.ts';
import { openStand, type Stand } from './stand.ts';

const secret = clientSecret;
const loopback = 'http://localhost:4711/callback';
const options = { fetchUpstream: pinnedUpstreamFetch(), signIn: { signUp: 'open' as const } };

async function list({ store, context, clock }: Stand, upstream: Pick<Upstream, 'id' | 'issuer' | 'clientId'>): Promise<void> {
  const row: Upstream = {
    ...upstream,
    name: 'Elsewhere',
    recipe: 'openid',
    credentialSealed: sealCredential(upstream.id, { secret }, context),
    scope: ['openid', 'profile', 'email'],
    privateNetwork: true,
    createdAt: clock.now(),
  };
  assert.equal(await store.addUpstream(row, auditEvent('upstream.added', clock.now(), 'test')), 'added');
}

/** Presses the button of the upstream; resolves to the address that the browser leaves for. */
async function leave(browser: Browser, url: string): Promise<string> {
  const left = await browser.submit(await browser.open(url), {}, 'elsewhere');
  assert.ok(left.refresh, left.title);
  return left.refresh;
}

function authorizationUrl(issuer: string, clientId: string, more: Record<string, string> = {}): string {
  const parameters = { response_type: 'code', client_id: clientId, redirect_uri: loopback, state: 'of the agent' };
  return `${issuer}/authorize?${new URLSearchParams({ ...parameters, code_challenge: pkce.challenge, code_challenge_method: 'S256', ...more })}`;
}

async function allow(browser: Browser, consent: Page): Promise<string> {
  const back = await browser.submit(consent, {}, 'allow');
  return new URL(back.refresh ?? back.url).searchParams.get('code') ?? '';
}

test('[LOG-07] node-oidc-provider is our upstream: sign-in there, account and consent here, a code for the agent; the second time at once', async (t) => {
  const stand = await openStand(t, options);
  const { issuer } = await openProvider(t, () => graceOnly(`${stand.issuer}/login/upstream/elsewhere/callback`));
  await list(stand, { id: 'elsewhere', issuer, clientId: 'auth-agent' });
  const client = await stand.addClient();
  const there = openBrowser(fetch, issuer);

  const left = await leave(stand.browser, authorizationUrl(stand.issuer, client.id, { scope: 'openid' }));
  const back = await there.submit(await there.submit(await there.open(left), { login: 'grace', password: 'any' }));
  assert.ok(back.left);
  const firstTime = await stand.browser.open(back.url);
  assert.match(firstTime.html, /Grace Hopper[\s\S]*grace@hopper\.example/);
  const consent = await stand.browser.submit(firstTime);
  assert.ok(await allow(stand.browser, consent));

  const again = openBrowser(fetch, stand.issuer);
  const returned = await there.open(await leave(again, `${stand.issuer}/login`));
  assert.equal(new URL((await again.open(returned.url)).url).pathname, '/account/agents');
  assert.equal((await stand.store.findUpstreamUser(issuer, 'grace'))?.name, 'Grace Hopper');
});

test('[LOG-07] prompt=login of an agent reaches node-oidc-provider, and its auth_time proves it', async (t) => {
  const stand = await openStand(t, options);
  const { issuer } = await openProvider(t, () => graceOnly(`${stand.issuer}/login/upstream/elsewhere/callback`));
  await list(stand, { id: 'elsewhere', issuer, clientId: 'auth-agent' });
  const identity = { issuer, subject: 'grace', upstreamId: 'elsewhere', userId: await userId(stand), createdAt: stand.clock.now() };
  await stand.store.linkUpstream(identity, auditEvent('upstream.linked', stand.clock.now(), 'test'));
  const client = await stand.addClient();
  const there = openBrowser(fetch, issuer);
  const url = authorizationUrl(stand.issuer, client.id, { scope: 'openid', prompt: 'login' });

  for (let times = 0; times < 2; times++) {
    const asked = await there.open(await leave(openBrowser(fetch, stand.issuer), url));
    assert.match(asked.html, /Enter any login/, 'it asks although it knows the person');
    const browser = openBrowser(fetch, stand.issuer);
    const page = await there.open(await leave(browser, url));
    const signedIn = await there.submit(page, { login: 'grace', password: 'any' });
    const back = signedIn.left ? signedIn : await there.submit(signedIn);
    assert.match((await browser.open(back.url)).title, /^Allow/);
  }
});

test('[LOG-07] one instance of ours is the upstream of another', async (t) => {
  const company = await openStand(t);
  const stand = await openStand(t, options);
  const redirectUri = `${stand.issuer}/login/upstream/elsewhere/callback`;
  await company.addClient({ id: 'agents-server', secret, metadata: { clientName: 'Agents', redirectUris: [redirectUri] } });
  await list(stand, { id: 'elsewhere', issuer: company.issuer, clientId: 'agents-server' });
  const client = await stand.addClient();

  const left = await leave(stand.browser, authorizationUrl(stand.issuer, client.id, { scope: 'openid' }));
  const firstTime = await stand.browser.open((await company.allow(new URL(left))).href);
  assert.match(firstTime.html, /Ada Lovelace/);
  // The other instance has verified no address, and says so: none is taken over.
  assert.doesNotMatch(firstTime.html, /<dd><bdi>ada@example\.com/);
  const code = await allow(stand.browser, await stand.browser.submit(firstTime));

  const found = await stand.store.findCode(sha256At(code), stand.clock.now());
  assert.deepEqual(found?.code.amr, ['fed', 'pwd']);
  assert.ok(await stand.store.findUpstreamUser(company.issuer, await userId(company)));
});

test('[IDT-01] people of node-oidc-provider sign in at ours, and its own client gets its ID token', async (t) => {
  const stand = await openStand(t);
  const interaction = new Map<string, { verifier: string; nonce: string }>();
  let config: openid.Configuration | undefined;
  const { provider, issuer } = await openProvider(
    t,
    (self) => ({
      clients: [{ client_id: 'app', client_secret: secret, redirect_uris: [loopback] }],
      features: { devInteractions: { enabled: false } },
      interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
      findAccount: (_context, accountId) => ({ accountId, claims: async () => ({ sub: accountId }) }),
      loadExistingGrant: async (context) => {
        const grant = new context.oidc.provider.Grant({ clientId: context.oidc.client?.clientId, accountId: context.oidc.session?.accountId });
        grant.addOIDCScope('openid');
        await grant.save();
        return grant;
      },
      cookies: { keys: [self] },
    }),
    (request, response) => {
      const url = new URL(request.url ?? '', 'http://localhost');
      if (!/^\/(interaction\/|federated$)/.test(url.pathname)) return false;
      (url.pathname === '/federated' ? returned(url, response) : depart(request, response)).catch((error: unknown) =>
        response.writeHead(500).end(String(error)),
      );
      return true;
    },
  );
  const redirectUri = `${issuer}/federated`;
  const registered = await stand.addClient({ secret, metadata: { clientName: 'Their server', redirectUris: [redirectUri] } });
  config = await openid.discovery(new URL(stand.issuer), registered.id, undefined, openid.ClientSecretBasic(secret), {
    execute: [openid.allowInsecureRequests],
  });

  async function depart(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { uid } = await provider.interactionDetails(request, response);
    const [verifier, nonce] = [openid.randomPKCECodeVerifier(), openid.randomNonce()];
    interaction.set(uid, { verifier, nonce });
    const there = openid.buildAuthorizationUrl(config as openid.Configuration, {
      redirect_uri: redirectUri,
      scope: 'openid',
      state: uid,
      nonce,
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    response.writeHead(302, { Location: there.href }).end();
  }
  async function returned(at: URL, response: ServerResponse): Promise<void> {
    const uid = at.searchParams.get('state') ?? '';
    const known = interaction.get(uid);
    const tokens = await openid.authorizationCodeGrant(config as openid.Configuration, new URL(at.pathname + at.search, issuer), {
      expectedState: uid,
      expectedNonce: known?.nonce,
      pkceCodeVerifier: known?.verifier,
    });
    const accountId = tokens.claims()?.sub ?? '';
    const details = await provider.Interaction.find(uid);
    assert.ok(details);
    details.result = { login: { accountId } };
    await details.save(60);
    response.writeHead(302, { Location: details.returnTo }).end();
  }
  const app = await openid.discovery(new URL(issuer), 'app', undefined, openid.ClientSecretBasic(secret), { execute: [openid.allowInsecureRequests] });
  const verifier = openid.randomPKCECodeVerifier();
  const begin = openid.buildAuthorizationUrl(app, {
    redirect_uri: loopback,
    scope: 'openid',
    state: 'xyz',
    code_challenge: await openid.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  });
  const theirs = openBrowser(fetch, issuer);
  const away = await theirs.open(begin.href);
  assert.equal(new URL(away.url).origin, stand.issuer);
  const federated = await stand.allow(new URL(away.url));
  const callback = await theirs.open(federated.href);
  const tokens = await openid.authorizationCodeGrant(app, new URL(callback.url), { expectedState: 'xyz', pkceCodeVerifier: verifier });

  assert.equal(tokens.claims()?.sub, await userId(stand));
});

async function userId({ store }: Stand): Promise<string> {
  return (await store.findUserByLogin('ada'))?.user.id ?? '';
}
