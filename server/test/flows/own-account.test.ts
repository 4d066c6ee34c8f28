/**
 * A person's own account: its first page, what they are called, everything that is held about them, and its end.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { auditEvent } from '../../src/audit/event.ts';
import { type Browser, signInAndDecide } from '../browser.ts';
import { form, pkce } from '../harness.ts';
import { answerOf, loopback, password, type Stage, signInOn, stage } from './authorize-stage.ts';

const cookieOf = (browser: Browser) => [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
const STALE = 3600;

describe('an account', () => {
  let on: Stage;
  let names = 0;
  let ada: { browser: Browser; id: string; username: string };
  before(async () => {
    on = await stage();
  });
  after(() => on.close());
  beforeEach(async () => {
    on.clock.advance(1000);
    const { id, username } = await on.addUser({ username: `own${names++}`, name: 'Ada L.', password });
    const browser = on.browser();
    await signInOn(browser, await browser.open('/login'), username);
    ada = { browser, id, username };
  });

  const connect = () => signInAndDecide(on.url(), { username: ada.username, password, decision: 'allow' }, { browser: ada.browser });
  const exported = () => on.request('/account/export', { headers: { Cookie: cookieOf(ada.browser) } });
  const event = (type: 'user.added' | 'server.added') => auditEvent(type, on.clock.now(), 'test');
  const path = (url: string) => new URL(url).pathname + new URL(url).search;

  test('the first page says what there is, and leads to every other page of the account', async () => {
    await connect();

    const page = await ada.browser.open('/account');
    for (const words of ['1 agent can act for you', 'None used in the last 24 hours', 'No passkey', 'Second step is off', '1 browser is signed in', 'Ada L.'])
      assert.ok(page.html.includes(words), words);
    for (const place of ['agents', 'security', 'profile']) assert.ok(page.html.includes(`href="/account/${place}"`), place);
    const paused = await ada.browser.submit(page);
    assert.match(paused.html, /All agents are paused/);
    assert.match((await ada.browser.open('/account')).html, /Resume all agents/);
  });

  test('without a session every page of the account asks for one, and comes back', async () => {
    for (const place of ['/account', '/account/profile', '/account/export', '/account/delete'])
      assert.equal(new URL((await on.browser().open(place)).url).pathname, '/login', place);
    const stranger = on.browser();
    const home = await signInOn(stranger, await stranger.open('/account/profile'), ada.username);
    assert.equal(path(home.url), '/account/profile');
  });

  test('a name is changed and taken away, and one that would turn text round is refused', async () => {
    const page = await ada.browser.open('/account/profile');
    assert.match(page.html, new RegExp(`value="${ada.username}"`));

    const saved = await ada.browser.submit(page, { name: '  Ada <b>Lovelace</b> ' });
    assert.equal((await on.store.findUser(ada.id))?.name, 'Ada <b>Lovelace</b>');
    assert.match(saved.html, /Saved/);
    assert.ok(!saved.html.includes('<b>Lovelace'));
    for (const name of ['x'.repeat(101), 'a\u202Eb', 'two\nlines']) {
      assert.equal((await ada.browser.submit(page, { name })).status, 400);
      assert.equal((await on.store.findUser(ada.id))?.name, 'Ada <b>Lovelace</b>');
    }
    await ada.browser.submit(page, { name: '' });
    assert.equal((await on.store.findUser(ada.id))?.name, undefined);
  });

  test('[ACC-05] what is held is handed to its person after a fresh sign-in, readable, without a secret or a hash', async () => {
    await connect();
    const sessionId = ada.browser.cookies.get([...ada.browser.cookies.keys()].find((name) => name.includes('session')) ?? '');

    const answer = await exported();
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('content-disposition'), 'attachment; filename="account.json"');
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    const text = await answer.text();
    const { data, shortened } = JSON.parse(text);
    assert.deepEqual(shortened, []);
    assert.equal(data.users[0].username, ada.username);
    assert.match(data.users[0].created_at, /^20\d\d-\d\d-\d\dT/);
    assert.deepEqual(data.grants[0].scope.includes('files:read'), true);
    assert.ok(data.receipts[0].receipt.words.length > 5);
    assert.ok(data.sessions.length >= 1 && data.audit_events.some(({ type }: { type: string }) => type === 'grant.approved'));
    assert.doesNotMatch(text, /scrypt|_hash|_sealed|last_event/);
    assert.ok(sessionId !== undefined && !text.includes(sessionId));

    on.clock.advance(STALE);
    const stale = await exported();
    assert.deepEqual([stale.status, stale.headers.get('location')], [303, '/login?reason=confirm&to=profile']);
    const confirmed = await signInOn(ada.browser, await ada.browser.open('/login?reason=confirm&to=profile'), ada.username);
    assert.equal(path(confirmed.url), '/account/profile');
    assert.equal((await exported()).status, 200);
  });

  test('[ACC-04] an account is deleted by whoever signed in just now and types its name, and by nothing else', async () => {
    const { code = '' } = answerOf(await connect());
    const token = (values: Record<string, string>) => on.request('/token', form({ client_id: 'client_known', ...values }));
    const issued = (await (await token({ grant_type: 'authorization_code', code, redirect_uri: loopback, code_verifier: pkce.verifier })).json()) as Record<
      string,
      string
    >;
    assert.ok(issued.refresh_token);
    const page = await ada.browser.open('/account/delete');
    const there = async () => (await on.store.findUser(ada.id)) !== undefined;

    assert.equal((await ada.browser.submit(page, { username: 'somebody else' })).status, 400);
    const headers = { Cookie: cookieOf(ada.browser), 'Content-Type': 'application/x-www-form-urlencoded' };
    const forged = await on.request('/account/delete', { ...form({ username: ada.username, csrf: 'x' }), headers });
    assert.equal(forged.status, 403);
    on.clock.advance(STALE);
    const stale = await ada.browser.submit(page, { username: ada.username });
    assert.deepEqual([path(stale.url), await there()], ['/login?reason=confirm&to=profile', true]);

    await signInOn(ada.browser, stale, ada.username);
    const done = await ada.browser.submit(await ada.browser.open('/account/delete'), { username: ` ${ada.username.toUpperCase()} ` });
    assert.equal(done.status, 200);
    assert.match(done.html, /Your account is deleted/);
    assert.equal(await there(), false);
    assert.deepEqual(await on.store.listGrants({ userId: ada.id }, on.clock.now()), []);
    const refused = await token({ grant_type: 'refresh_token', refresh_token: issued.refresh_token ?? '' });
    assert.deepEqual([refused.status, ((await refused.json()) as { error: string }).error], [400, 'invalid_grant']);
    const userinfo = await on.request('/userinfo', { headers: { Authorization: `Bearer ${issued.access_token}` } });
    assert.equal(userinfo.status, 401);
    assert.equal(new URL((await ada.browser.open('/account')).url).pathname, '/login');
    const [removed] = await on.store.listEvents({ userId: ada.id, type: 'user.removed', limit: 1 });
    assert.deepEqual([removed?.actor, removed?.address, removed?.detail], [`user:${ada.id}`, undefined, undefined]);
  });

  test('[ACC-04] an owner of servers and the last operator are told what to do first', async () => {
    const owner = await on.addUser({ username: `owner${names++}`, role: 'owner', password });
    await on.store.addServer({ ...on.mcp, id: 'srv_own', resource: 'https://own.example', ownerId: owner.id }, event('server.added'));
    const operator = await on.addUser({ username: `operator${names++}`, role: 'operator', password });

    for (const [person, words] of [
      [owner, /You own servers/],
      [operator, /Nobody else could run this service/],
    ] as const) {
      const browser = on.browser();
      await signInOn(browser, await browser.open('/login'), person.username);
      const refused = await browser.submit(await browser.open('/account/delete'), { username: person.username });
      assert.equal(refused.status, 409);
      assert.match(refused.html, words);
      assert.ok(await on.store.findUser(person.id));
    }
  });
});
