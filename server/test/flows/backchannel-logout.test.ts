/**
 * Clients hear that a person has signed out (OIDC Back-Channel Logout): who, by which token, however the session ends, and what happens when they do not answer.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from 'jose';
import { makeResetLink } from '../../src/account/operator-links.ts';
import { auditEvent } from '../../src/audit/event.ts';
import { createServer } from '../../src/server.ts';
import type { ClientMetadata } from '../../src/storage/store.ts';
import type { Browser } from '../browser.ts';
import { form, issuer, pkce } from '../harness.ts';
import { answerOf, password, stage, webRedirect } from './authorize-stage.ts';

const listensAt = 'https://app.example.org/logout';

async function scene(answer: (attempt: number) => number | Error | Promise<number> = () => 200) {
  const posted: { url: string; token: string }[] = [];
  let heard = () => {};
  const on = await stage({
    async postForm(url, text) {
      posted.push({ url, token: new URLSearchParams(text).get('logout_token') ?? '' });
      heard();
      const status = await answer(posted.length);
      if (status instanceof Error) throw status;
      return { status };
    },
  });
  const listens = (id: string, metadata: Partial<ClientMetadata> = {}) =>
    on.addClient({ id, metadata: { redirectUris: [webRedirect], backchannelLogoutUri: listensAt, ...metadata } });
  await listens('client_web');

  async function idToken(browser: Browser, client_id = 'client_web', scope = 'openid files:read'): Promise<string> {
    const consent = await browser.open(on.url({ client_id, redirect_uri: webRedirect, scope }));
    const { code = '' } = answerOf((await browser.submit(consent, {}, 'allow')).refresh);
    const redemption = { grant_type: 'authorization_code', client_id, code, code_verifier: pkce.verifier, redirect_uri: webRedirect };
    return ((await (await on.request('/token', form(redemption))).json()) as { id_token: string }).id_token;
  }
  /** Runs the act and resolves once so many posts have arrived. */
  async function hearing(many: number, act: () => Promise<unknown>): Promise<void> {
    const wanted = posted.length + many;
    const arrived = new Promise<void>((resolve) => {
      heard = () => void (posted.length >= wanted && resolve());
    });
    await act();
    await arrived;
  }
  return { ...on, listens, idToken, posted, hearing };
}

const signOut = (browser: Browser) => browser.open('/logout').then((page) => browser.submit(page));

test('[LO-05] the logout token is what the specification says, and its sid and sub are those of the ID token', async () => {
  const on = await scene();
  const browser = await on.signedIn();
  const id = decodeJwt(await on.idToken(browser));
  await on.hearing(1, () => signOut(browser));
  const [{ url, token } = { url: '', token: '' }] = on.posted;
  const keys = createLocalJWKSet((await (await on.request('/.well-known/jwks.json')).json()) as JSONWebKeySet);
  const currentDate = new Date(on.clock.now() * 1000);
  const { payload, protectedHeader } = await jwtVerify(token, keys, { issuer, audience: 'client_web', typ: 'logout+jwt', currentDate });

  assert.equal(url, listensAt);
  assert.equal(protectedHeader.alg, 'RS256');
  assert.deepEqual([payload.sub, payload.sid], [id.sub, id.sid]);
  assert.deepEqual(payload['events'], { 'http://schemas.openid.net/event/backchannel-logout': {} });
  assert.equal('nonce' in payload, false);
  assert.ok((payload.exp ?? 0) - (payload.iat ?? 0) <= 120);
  assert.match(payload.jti ?? '', /^[A-Za-z0-9_-]{22}$/);
  // It is no hint and no access token.
  const again = await on.signedIn();
  assert.match((await again.open(`/logout?id_token_hint=${token}`)).title, /^Sign out\?/);
  assert.equal((await on.request('/userinfo', { headers: { Authorization: `Bearer ${token}` } })).status, 401);
  await on.close();
});

test('[LO-05] it goes to the clients of this session that asked for it, once each, with a subject of their own', async () => {
  const on = await scene();
  await on.listens('client_pairwise', { subjectType: 'pairwise', idTokenSignedResponseAlg: 'ES256' });
  await on.addClient({ id: 'client_deaf', metadata: { redirectUris: [webRedirect] } });
  const browser = await on.signedIn();
  const elsewhere = await on.signedIn();
  await on.idToken(browser);
  await on.idToken(browser);
  const pairwise = decodeJwt(await on.idToken(browser, 'client_pairwise'));
  await on.idToken(browser, 'client_deaf');
  await on.idToken(elsewhere);
  await on.hearing(2, () => signOut(browser));
  await on.server.maintain();

  const told = on.posted.map(({ token }) => decodeJwt(token));
  assert.deepEqual(told.map(({ aud }) => aud).sort(), ['client_pairwise', 'client_web']);
  assert.ok(told.every(({ sid }) => sid === pairwise.sid));
  assert.equal(told.find(({ aud }) => aud === 'client_pairwise')?.sub, pairwise.sub);
  await on.close();
});

test('[LO-05] without openid there is no session to tell of', async () => {
  const on = await scene();
  const browser = await on.signedIn();
  const consent = await browser.open(on.url({ client_id: 'client_web', redirect_uri: webRedirect, scope: 'files:read' }));
  await browser.submit(consent, {}, 'allow');
  await signOut(browser);
  await on.server.maintain();

  assert.deepEqual(on.posted, []);
  await on.close();
});

test('[LO-05] however a session ends it is told: everybody in the browser signs out, the password changes, the person is disabled', async () => {
  const on = await scene();
  await on.addUser({ username: 'bob', password });
  const about = (type: 'user.password_changed' | 'user.disabled') => auditEvent(type, on.clock.now(), 'test');
  const ends: ((browser: Browser) => Promise<unknown>)[] = [
    async (browser) => {
      await browser.submit(await browser.open('/login?switch=1'), { username: 'bob', password });
      await browser.submit(await browser.open('/login/accounts'), {}, 'all');
    },
    () => on.store.changePassword(on.user.id, (on.user as { passwordHash?: string }).passwordHash ?? 'hash', about('user.password_changed')),
    () => on.store.setUserDisabled(on.user.id, true, about('user.disabled')),
  ];
  for (const [index, end] of ends.entries()) {
    const browser = await on.signedIn();
    const { sid } = decodeJwt(await on.idToken(browser));
    await end(browser);
    await on.server.maintain();

    assert.equal(on.posted.length, index + 1);
    assert.equal(decodeJwt(on.posted.at(-1)?.token ?? '')['sid'], sid);
  }
  await on.close();
});

test('[LO-05] a password that was reset by a link is told at once', async () => {
  const on = await scene();
  await on.idToken(await on.signedIn());
  const elsewhere = on.browser();
  const page = await elsewhere.open(await makeResetLink(on.user, on.context));

  await on.hearing(1, () => elsewhere.submit(page, { password: 'another long and quiet password' }));

  assert.equal(on.posted.length, 1);
  await on.close();
});

test('[LO-05] the same person confirming who they are ends nothing', async () => {
  const on = await scene();
  const browser = await on.signedIn();
  await on.idToken(browser);
  await browser.submit(await browser.open('/login?switch=1'), { username: 'ada', password });
  await on.server.maintain();
  assert.deepEqual(on.posted, []);

  await on.hearing(1, () => signOut(browser));
  await on.close();
});

test('[LO-05] what cannot be delivered is tried five times in all, further and further apart, and holds nobody up', async () => {
  for (const failure of [500, 404, 302, new Error('nobody is there')]) {
    const on = await scene(() => failure);
    const browser = await on.signedIn();
    await on.idToken(browser);
    await on.hearing(1, async () => assert.match((await signOut(browser)).title, /^You are signed out/));
    const tries: number[] = [];
    for (let minute = 0; minute < 59; minute++) {
      on.clock.advance(60);
      const before = on.posted.length;
      await on.server.maintain();
      if (on.posted.length > before) tries.push(minute + 1);
    }

    assert.deepEqual(tries, [1, 5, 14, 30]);
    assert.equal(on.logged.filter((line) => line.startsWith('warn logout.given_up')).length, 1);
    await on.close();
  }
});

test('[LO-05] a stop waits for what a client is being told, and what it has not begun another node does', async () => {
  let answer = (_status: number) => {};
  const on = await scene((attempt) => (attempt === 1 ? new Promise((resolve) => (answer = resolve)) : 200));
  const [first, second] = [await on.signedIn(), await on.signedIn()];
  for (const browser of [first, second]) await on.idToken(browser);
  await on.hearing(1, () => signOut(first));
  let settled = false;
  const settling = on.server.settle().then(() => {
    settled = true;
  });
  await signOut(second);
  await setImmediate();
  assert.deepEqual([settled, on.posted.length], [false, 1]);
  answer(200);
  await settling;
  assert.equal(on.logged.filter((line) => line.startsWith('info logout.told')).length, 1);

  const other = createServer({ ...on.context.options, driver: on.context.options.driver });
  await other.maintain();
  await (await other.context())?.logouts.idle();
  assert.equal(on.posted.length, 2);
  assert.notEqual(decodeJwt(on.posted[0]?.token ?? '')['sid'], decodeJwt(on.posted[1]?.token ?? '')['sid']);
  await on.close();
});

test('[LO-05] success and 400 are final, and a client that is gone is not asked', async () => {
  for (const status of [200, 204, 400]) {
    const on = await scene(() => status);
    const browser = await on.signedIn();
    await on.idToken(browser);
    await on.hearing(1, () => signOut(browser));
    for (let minute = 0; minute < 40; minute++) {
      on.clock.advance(60);
      await on.server.maintain();
    }
    assert.equal(on.posted.length, 1);
    await on.close();
  }
  const on = await scene();
  const browser = await on.signedIn();
  await on.idToken(browser);
  await on.store.removeClient('client_web', auditEvent('client.removed', on.clock.now(), 'test'));
  await signOut(browser);
  await on.server.maintain();
  assert.deepEqual(on.posted, []);
  await on.close();
});

test('[LO-05] [META-15] it is advertised where it can be done, and a registration is told whether it will', async () => {
  const on = await scene();
  const without = await stage();
  const metadata = async (world: typeof without) => (await (await world.request('/.well-known/openid-configuration')).json()) as Record<string, unknown>;
  const register = async (backchannel_logout_uri: string) => {
    const body = JSON.stringify({ redirect_uris: [webRedirect], token_endpoint_auth_method: 'none', backchannel_logout_uri });
    const response = await on.request('/register', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
    return (await response.json()) as Record<string, unknown>;
  };

  const { backchannel_logout_supported, backchannel_logout_session_supported } = await metadata(on);
  assert.deepEqual([backchannel_logout_supported, backchannel_logout_session_supported], [true, true]);
  assert.equal('backchannel_logout_supported' in (await metadata(without)), false);
  const good = await register(listensAt);
  assert.deepEqual([good['backchannel_logout_uri'], good['backchannel_logout_session_required']], [listensAt, true]);
  assert.equal('backchannel_logout_uri' in (await register('http://app.example.org/logout')), false);
  await on.close();
  await without.close();
});
