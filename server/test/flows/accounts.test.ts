/**
 * Several accounts in one browser: who acts, who is asked, and that an answer only ever counts for the person whose page it stood on.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sha256, sha256At } from '../../src/crypto/hash.ts';
import type { Browser, Page } from '../browser.ts';
import { form, pkce } from '../harness.ts';
import { answerOf, loopback, password, type Stage, stage } from './authorize-stage.ts';

const field = (page: Page, name: string) => page.forms[0]?.fields.find((one) => one.name === name)?.value ?? '';
const cookieOf = (browser: Browser) => [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');

describe('several accounts in one browser', () => {
  let on: Stage;
  let grace: { id: string };
  before(async () => {
    on = await stage();
    grace = await on.addUser({ username: 'grace', name: 'Grace Hopper', email: 'grace@example.com', password });
    for (let index = 0; index < 6; index++) await on.addUser({ username: `person${index}`, password });
  });
  after(() => on.close());

  const signInAs = async (browser: Browser, username: string, url = '/login?switch=new') => browser.submit(await browser.open(url), { username, password });
  /** Ada first, then Grace, who acts. */
  async function both(): Promise<Browser> {
    const browser = await on.signedIn();
    await signInAs(browser, 'grace');
    // A sign-in in the second of a request counts as one for it.
    on.clock.advance(1);
    return browser;
  }
  const names = (page: Page) => [...page.html.matchAll(/name="use" value="([^"]*)"/g)].map(([, id]) => id);
  /** Presses the button of a name and value; two buttons of a row have one value. */
  async function press(browser: Browser, page: Page, name: 'use' | 'sign_out', value: string): Promise<Page> {
    const [own] = page.forms;
    assert.ok(own);
    const buttons = own.buttons.filter((button) => button.name === name);
    return browser.submit({ ...page, forms: [{ ...own, buttons }] }, {}, value);
  }

  test('whoever signs in beside somebody acts, and the other stays, each with a session id of their own', async () => {
    const browser = await both();

    const page = await browser.open('/login/accounts');

    assert.deepEqual(names(page), [grace.id, on.user.id]);
    assert.match(page.html, /grace@example\.com/);
    assert.match(page.html, /ada@example\.com/);
    const others = browser.cookies.get('aa_accounts') ?? browser.cookies.get('__Host-aa_accounts') ?? '';
    assert.match(others, /^[A-Za-z0-9_-]{43}$/);
    assert.equal((await on.store.findSession(sha256(others), on.clock.now()))?.user.id, on.user.id);
    assert.ok(browser.setCookies.filter((line) => line.includes('aa_accounts')).every((line) => /; HttpOnly; SameSite=Lax/.test(line)));
  });

  test('while nobody acts, whoever is signed out goes alone', async () => {
    const browser = on.browser();
    const ids: string[] = [];
    for (const username of ['person0', 'person1', 'person2']) {
      await signInAs(browser, username);
      on.clock.advance(1);
      ids.unshift((await on.store.findUserByLogin(username))?.user.id ?? '');
    }
    const [acting = ''] = ids;
    const nobodyActs = await press(browser, await browser.open('/login/accounts'), 'sign_out', acting);
    const [first = '', second = ''] = names(nobodyActs);

    const left = await press(browser, nobodyActs, 'sign_out', second);

    assert.deepEqual(names(left), [first]);
  });

  test('[ACC-01] the pause link of a notice asks which account where the agent is of another one here, and says nothing about agents of strangers', async () => {
    const allowedBy = async (username: string, browser: Browser) => {
      await signInAs(browser, username);
      await browser.submit(await browser.open(on.url()), {}, 'allow');
      const { id = '' } = (await on.store.findUserByLogin(username))?.user ?? {};
      return { id, grantId: (await on.store.listGrants({ userId: id }, on.clock.now()))[0]?.id ?? '' };
    };
    const browser = on.browser();
    const owner = await allowedBy('person1', browser);
    await signInAs(browser, 'person2');
    const stranger = await allowedBy('person3', on.browser());
    const link = `/account/agents/pause?grant=${owner.grantId}`;

    const asked = await browser.open(link);
    assert.equal(new URL(asked.url).pathname, '/login/accounts');
    const chosen = await press(browser, asked, 'use', owner.id);
    assert.equal(`${new URL(chosen.url).pathname}${new URL(chosen.url).search}`, link);
    assert.equal((await browser.submit(chosen)).status, 200);
    assert.ok((await on.store.findGrant(owner.grantId))?.pausedAt);

    // Stopped now: looked at among the agents, and never asked about in a circle.
    assert.equal(new URL((await browser.open(link)).url).pathname, '/account/agents');
    for (const grant of [stranger.grantId, 'grant_AAAAAAAAAAAAAAAA', ''])
      assert.equal(new URL((await browser.open(`/account/agents/pause?grant=${grant}`)).url).pathname, '/account/agents');
  });

  test('[LOG-01] the same person signing in again replaces their session, and nobody is there twice', async () => {
    const browser = await both();
    const before = cookieOf(browser);

    await signInAs(browser, 'ada');

    assert.equal(names(await browser.open('/login/accounts')).length, 2);
    const old = /aa_accounts=([^;]*)/.exec(before)?.[1] ?? '';
    assert.equal(await on.store.findSession(sha256(old), on.clock.now()), undefined);
  });

  test('five are the most: the sixth signs the one out who was seen longest ago', async () => {
    const browser = on.browser();
    for (let index = 0; index < 6; index++) {
      await signInAs(browser, `person${index}`, '/login?switch=new');
      on.clock.advance(61);
    }

    const page = await browser.open('/login/accounts');

    assert.equal(names(page).length, 5);
    assert.doesNotMatch(page.html, /person0/);
  });

  test('choosing changes who acts, keeps the request, and is no sign-in', async () => {
    const browser = await both();
    const consent = await browser.open(on.url({ prompt: 'select_account' }));
    assert.match(consent.url, /\/login\/accounts\?tx=/);
    const events = (await on.store.listEvents({ type: 'user.signed_in', limit: 1000 })).length;

    const page = await press(browser, consent, 'use', on.user.id);

    assert.match(page.url, /\/authorize\/consent\?tx=/);
    assert.match(page.html, /ada@example\.com/);
    assert.equal((await on.store.listEvents({ type: 'user.signed_in', limit: 1000 })).length, events);
    const back = await browser.submit(page, {}, 'allow');
    const found = await on.store.findCode(sha256At(answerOf(back.refresh)['code'] ?? ''), on.clock.now());
    assert.equal(found?.grant.userId, on.user.id);
  });

  test('[LOG-02] a page of one account approves nothing once another acts: not for one and not for the other', async () => {
    const browser = await both();
    const asGrace = await browser.open(on.url());
    assert.match(asGrace.html, /grace@example\.com/);
    await press(browser, await browser.open('/login/accounts'), 'use', on.user.id);
    const before = (await on.store.listGrants({}, on.clock.now())).length;

    const refused = await browser.submit(asGrace, {}, 'allow');

    assert.equal(refused.status, 403);
    assert.equal((await on.store.listGrants({}, on.clock.now())).length, before);
  });

  test('[LOG-02] the form of the choice belongs to this browser, this request and exactly these accounts', async () => {
    const browser = await both();
    const page = await browser.open('/login/accounts');
    const stranger = await both();
    const csrf = field(page, 'csrf');

    for (const [who, body] of [
      [stranger, { csrf, use: on.user.id }],
      [browser, { csrf: '', use: on.user.id }],
      [browser, { csrf, use: on.user.id, tx: 'tx_somethingelse_somethingelse' }],
    ] as const)
      assert.equal((await on.request('/login/accounts', form(body, { Cookie: cookieOf(who) }))).status, 403);
    await press(browser, page, 'sign_out', on.user.id);
    assert.equal((await on.request('/login/accounts', form({ csrf, use: grace.id }, { Cookie: cookieOf(browser) }))).status, 403);
    const fresh = field(await browser.open('/login/accounts'), 'csrf');
    for (const body of [{ use: 'usr_nobody' }, { use: on.user.id }, { sign_out: '' }, {}] as Record<string, string>[])
      assert.equal((await on.request('/login/accounts', form({ csrf: fresh, ...body }, { Cookie: cookieOf(browser) }))).status, 400);
  });

  test('[LOG-01] a planted session id signs nobody in: what the cookie holds must be a living session of its own', async () => {
    const browser = on.browser();
    await browser.open('/login');
    browser.cookies.set('aa_accounts', ['A'.repeat(43), 'not an id', 'B'.repeat(22)].join('.'));

    assert.match((await browser.open('/login/accounts')).url, /\/login\?switch=new$/);
    assert.match((await browser.open('/account/agents')).url, /\/login/);
  });

  test('signing the one out who acts makes nobody else act by themselves', async () => {
    const browser = await both();

    const page = await press(browser, await browser.open('/login/accounts'), 'sign_out', grace.id);

    assert.deepEqual(names(page), [on.user.id]);
    assert.match((await browser.open('/account/agents')).url, /\/login\/accounts$/);
    const asked = await browser.open(on.url());
    assert.match(asked.url, /\/login\/accounts\?tx=/);
    assert.match((await press(browser, asked, 'use', on.user.id)).html, /ada@example\.com/);
  });

  test('signing out of all ends every session, from the page of accounts and from /logout', async () => {
    for (const leave of [
      async (browser: Browser) => press(browser, await browser.open('/login/accounts'), 'sign_out', 'all'),
      async (browser: Browser) => browser.submit(await browser.open('/logout'), {}, '1'),
    ]) {
      const browser = await both();
      const ids = [...cookieOf(browser).matchAll(/aa_(?:session|accounts)=([^;]*)/g)].map(([, id = '']) => id);
      assert.equal(ids.length, 2);

      await leave(browser);

      for (const id of ids) assert.equal(await on.store.findSession(sha256(id), on.clock.now()), undefined);
      assert.match((await browser.open('/login/accounts')).url, /\/login\?switch=new$/);
    }
  });

  test('login_hint leads to the choice when it means somebody else who is here, and never switches by itself', async () => {
    const browser = await both();

    const asked = await browser.open(on.url({ login_hint: 'ada@example.com' }));
    assert.match(asked.url, /\/login\/accounts\?tx=/);
    assert.match(asked.html, /suggested by the app/);
    assert.match((await press(browser, asked, 'use', grace.id)).html, /grace@example\.com/);

    assert.match((await browser.open(on.url({ login_hint: 'grace' }))).url, /\/authorize\/consent/);
    assert.match((await browser.open(on.url({ login_hint: 'nobody@example.com' }))).url, /\/authorize\/consent/);
  });

  test('[AZ-21] select_account asks even when one account is here, and a sign-in for the request is an answer', async () => {
    const browser = await on.signedIn();
    on.clock.advance(5);
    const asked = await browser.open(on.url({ prompt: 'select_account' }));
    assert.match(asked.url, /\/login\/accounts\?tx=/);

    const tx = new URL(asked.url).searchParams.get('tx') ?? '';
    for (const chosen of ['', 'A'.repeat(43)]) assert.match((await browser.open(`/authorize/consent?tx=${tx}&chosen=${chosen}`)).url, /\/login\/accounts\?tx=/);
    const page = await signInAs(browser, 'grace', `/login?tx=${tx}&switch=new`);

    assert.match(page.url, /\/authorize\/consent/);
    assert.match(page.html, /grace@example\.com/);
  });
});

test('[AZ-22] id_token_hint means a person as this client knows them: silently nobody else answers, and otherwise the person chooses', async () => {
  const on = await stage();
  await on.addUser({ username: 'grace', password });
  const browser = await on.signedIn();
  const consent = await browser.open(on.url({ scope: 'files:read openid' }));
  const { code = '' } = answerOf((await browser.submit(consent, {}, 'allow')).refresh);
  const values = { client_id: 'client_known', grant_type: 'authorization_code', code, redirect_uri: loopback, code_verifier: pkce.verifier };
  const { id_token: hint } = (await (await on.request('/token', form(values))).json()) as { id_token: string };
  await browser.submit(await browser.open('/login?switch=new'), { username: 'grace', password });
  on.clock.advance(1);

  assert.match((await browser.open(on.url({ prompt: 'none', id_token_hint: hint }))).url, /error=login_required/);
  assert.match((await browser.open(on.url({ prompt: 'none' }))).url, /error=consent_required/);
  assert.match((await browser.open(on.url({ id_token_hint: hint }))).url, /\/login\/accounts\?tx=/);
  for (const other of ['garbage', `${hint.slice(0, -3)}AAA`]) assert.match((await browser.open(on.url({ id_token_hint: other }))).url, /\/authorize\/consent/);
  await on.close();
});
