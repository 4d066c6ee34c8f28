/**
 * A person changes how they sign in: the second step, its recovery codes, the password. Each change needs a fresh sign-in, the right form, and leaves an event.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { auditEvent } from '../../src/audit/event.ts';
import { codeOfStep } from '../../src/crypto/totp.ts';
import type { Browser, Page } from '../browser.ts';
import { form } from '../harness.ts';
import { answerOf, password, type Stage, signInOn, stage } from './authorize-stage.ts';
import { isSecondStep, setUpApp } from './second-step-stage.ts';

const cookieOf = (browser: Browser) => [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
const fieldOf = (page: Page, action: string, name: string) =>
  page.forms.find((one) => one.action.endsWith(action))?.fields.find((field) => field.name === name)?.value ?? '';

describe('a person on their security page', () => {
  let on: Stage;
  let names = 0;
  let ada: { browser: Browser; id: string; username: string };
  const sent: string[] = [];
  before(async () => {
    on = await stage({
      sendMail: async ({ to, subject }) => {
        sent.push(`${to}: ${subject}`);
        return 'sent';
      },
    });
  });
  after(() => on.close());
  beforeEach(async () => {
    on.clock.advance(1000);
    const { id, username } = await on.addUser({ username: `person${names++}`, name: 'P', password });
    const browser = on.browser();
    await signInOn(browser, await browser.open('/login'), username);
    ada = { browser, id, username };
  });

  /** What the app shows whose key stands on the page. */
  function appOf(page: Page): (stepsAway?: number) => string {
    const key = (/<code id="key">([A-Z2-7 ]+)</.exec(page.html)?.[1] ?? '').replaceAll(' ', '');
    const bits = [...key].map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')).join('');
    const secret = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
    assert.equal(secret.length, 20);
    return (stepsAway = 0) => codeOfStep(secret, Math.floor(on.clock.now() / 30) + stepsAway);
  }
  const codesOn = (page: Page) => page.html.match(/[2-9A-HJ-NP-Z]{4}(-[2-9A-HJ-NP-Z]{4}){3}/g) ?? [];
  const events = async (type: string) => (await on.store.listEvents({ userId: ada.id, type, limit: 10 })).length;

  async function turnOn() {
    const setUp = await ada.browser.open('/account/security/two-step');
    const app = appOf(setUp);
    const done = await ada.browser.submit(setUp, { code: app() });
    return { app, done, setUp };
  }

  test('the second step is on after a first code, shows ten recovery codes once, and lifts this session', async () => {
    const before = ada.browser.cookies.get('__Host-aa_session');
    const { app, done } = await turnOn();

    assert.match(done.title, /^The second step is on/);
    assert.equal(new Set(codesOn(done)).size, 10);
    assert.notEqual(ada.browser.cookies.get('__Host-aa_session'), before);
    const [session, ...others] = await on.store.listSessions(ada.id, on.clock.now());
    assert.deepEqual([session?.amr, others], [['pwd', 'otp', 'mfa'], []]);
    assert.match((await ada.browser.open('/account/security')).html, /You have 10 recovery codes left/);
    assert.equal(await events('second_factor.added'), 1);

    const other = on.browser();
    const second = await signInOn(other, await other.open('/login'), ada.username);
    assert.ok(isSecondStep(second));
    assert.equal((await other.submit(second, { code: app() })).status, 400, 'the code that turned it on is used');
    assert.equal(new URL((await other.submit(second, { code: app(1) })).url).pathname, '/account/agents');
  });

  test('a wrong first code turns nothing on and keeps the key, and each visit has a key of its own', async () => {
    const setUp = await ada.browser.open('/account/security/two-step');
    const wrong = await ada.browser.submit(setUp, { code: '000000' });

    assert.equal(wrong.status, 400);
    assert.equal(appOf(wrong)(), appOf(setUp)());
    assert.equal(await on.store.findSecondFactor(ada.id), undefined);
    assert.notEqual(appOf(await ada.browser.open('/account/security/two-step'))(5), appOf(setUp)(5));
    assert.equal((await ada.browser.submit(wrong, { code: ` ${appOf(wrong)().slice(0, 3)} ${appOf(wrong)().slice(3)}` })).status, 200);
  });

  test('[LOG-02] a key that another person or nobody made, or an old page, sets nothing up', async () => {
    const other = on.browser();
    const bob = await on.addUser({ username: `bob${names}`, password });
    await signInOn(other, await other.open('/login'), bob.username);
    const theirs = await other.open('/account/security/two-step');
    const mine = await ada.browser.open('/account/security/two-step');
    const send = (sealed: string, code: string, csrf = fieldOf(mine, '/two-step', 'csrf')) =>
      on.request('/account/security/two-step', form({ csrf, sealed, code }, { Cookie: cookieOf(ada.browser) }));

    assert.equal((await send(fieldOf(theirs, '/two-step', 'sealed'), appOf(theirs)())).headers.get('location'), '/account/security/two-step');
    assert.equal((await send('AAAA', '123456')).headers.get('location'), '/account/security/two-step');
    assert.equal((await send(fieldOf(mine, '/two-step', 'sealed'), appOf(mine)(), fieldOf(theirs, '/two-step', 'csrf'))).status, 403);
    on.clock.advance(299);
    await signInOn(ada.browser, await ada.browser.open('/login?switch=1'), ada.username);
    on.clock.advance(299);
    await signInOn(ada.browser, await ada.browser.open('/login?switch=1'), ada.username);
    on.clock.advance(299);
    await signInOn(ada.browser, await ada.browser.open('/login?switch=1'), ada.username);
    on.clock.advance(3);
    const fresh = await ada.browser.open('/account/security/two-step');
    assert.equal((await send(fieldOf(mine, '/two-step', 'sealed'), appOf(mine)(), fieldOf(fresh, '/two-step', 'csrf'))).status, 303);
    assert.equal(await on.store.findSecondFactor(ada.id), undefined);
  });

  test('each change is told by mail', async () => {
    await turnOn();
    const page = await ada.browser.open('/account/security');
    await ada.browser.submit({ ...page, forms: page.forms.filter((one) => one.action.endsWith('/two-step/remove')) });
    await ada.browser.submit(await ada.browser.open('/account/security/password'), { password: 'another good phrase' });
    await on.server.maintain();

    assert.deepEqual(
      sent.filter((line) => line.startsWith(`${ada.username}@`)),
      ['A second step was added at Auth-Agent', 'A second step was removed at Auth-Agent', 'Your password at Auth-Agent was changed'].map(
        (subject) => `${ada.username}@example.com: ${subject}`,
      ),
    );
  });

  test('of two apps set up at once one is, and its codes are the ones that count', async () => {
    const setUp = await ada.browser.open('/account/security/two-step');
    const twin = { ...ada.browser, cookies: ada.browser.cookies };
    const pages = await Promise.all([ada.browser.submit(setUp, { code: appOf(setUp)() }), twin.submit(setUp, { code: appOf(setUp)() })]);

    const shown = pages.filter((page) => codesOn(page).length === 10);
    assert.equal(shown.length, 1);
    assert.equal(await events('second_factor.added'), 1);
  });

  test('new recovery codes end the earlier ones, and turning it off ends all', async () => {
    const { done, app } = await turnOn();
    const [old = ''] = codesOn(done);
    const security = await ada.browser.open('/account/security');
    const renewed = await ada.browser.submit({ ...security, forms: security.forms.filter((one) => one.action.endsWith('/codes')) });
    const [fresh = ''] = codesOn(renewed);

    const other = on.browser();
    const second = await signInOn(other, await other.open('/login'), ada.username);
    assert.equal((await other.submit(second, { code: old })).status, 400);
    assert.match((await other.submit(second, { code: fresh })).html, /You have 9 recovery codes left/);
    const page = await ada.browser.open('/account/security');
    const off = await ada.browser.submit({ ...page, forms: page.forms.filter((one) => one.action.endsWith('/two-step/remove')) });
    assert.match(off.html, /The second step is off/);
    const third = on.browser();
    assert.equal(new URL((await signInOn(third, await third.open('/login'), ada.username)).url).pathname, '/account/agents');
    assert.deepEqual([await events('recovery_codes.replaced'), await events('second_factor.removed')], [1, 1]);
    assert.ok(app());
  });

  test('[LOG-20] nothing of it can be done with a sign-in of more than five minutes ago', async () => {
    await turnOn();
    const page = await ada.browser.open('/account/security');
    const change = await ada.browser.open('/account/security/password');
    on.clock.advance(301);
    const posts = [
      ['two-step/codes', fieldOf(page, '/codes', 'csrf')],
      ['two-step/remove', fieldOf(page, '/two-step/remove', 'csrf')],
      ['password', fieldOf(change, '/password', 'csrf')],
    ] as const;

    for (const [path, csrf] of posts) {
      assert.notEqual(csrf, '', path);
      const answer = await on.request(`/account/security/${path}`, form({ csrf, password: 'another good password' }, { Cookie: cookieOf(ada.browser) }));
      assert.deepEqual([answer.status, answer.headers.get('location')], [303, '/login?reason=confirm&to=security'], path);
    }
    for (const path of ['two-step', 'password']) assert.match((await ada.browser.open(`/account/security/${path}`)).title, /^Confirm it's you/);
    assert.ok(await on.store.findSecondFactor(ada.id));
    const old = await ada.browser.open('/account/security');
    assert.equal(
      old.forms.some((one) => /two-step|password/.test(one.action)),
      false,
    );
  });

  test('[LOG-02] each form does what it says and nothing else', async () => {
    await turnOn();
    const page = await ada.browser.open('/account/security');
    const csrf = fieldOf(page, '/codes', 'csrf');
    for (const path of ['two-step/remove', 'password', 'password/remove', 'two-step']) {
      const answer = await on.request(`/account/security/${path}`, form({ csrf, password: 'another good password' }, { Cookie: cookieOf(ada.browser) }));
      assert.equal(answer.status, 403, path);
    }
    assert.ok(await on.store.findSecondFactor(ada.id));
  });

  test('password managers find the page at its well-known address', async () => {
    assert.match((await ada.browser.open('/.well-known/change-password')).title, /^Change the password/);
    assert.equal((await on.request('/.well-known/change-password')).headers.get('location'), '/account/security/password');
  });

  test('[LOG-01] a changed password signs other browsers out where the box is ticked, and agents keep their access', async () => {
    const other = on.browser();
    await signInOn(other, await other.open('/login'), ada.username);
    const code = answerOf((await other.submit(await other.open(on.url()), {}, 'allow')).refresh).code;
    assert.ok(code);
    const page = await ada.browser.open('/account/security/password');

    const done = await ada.browser.submit(page, { password: 'another good phrase' });

    assert.match(done.html, /Your password is changed/);
    assert.match((await other.open('/account/agents')).url, /\/login/);
    assert.equal(new URL((await ada.browser.open('/account/agents')).url).pathname, '/account/agents');
    assert.equal((await on.store.listGrants({ userId: ada.id }, on.clock.now()))[0]?.revokedAt, undefined);
    assert.equal((await signInOn(other, await other.open('/login'), ada.username)).status, 400);
    assert.equal(new URL((await signInOn(other, await other.open('/login'), ada.username, 'another good phrase')).url).pathname, '/account/agents');
    await ada.browser.submit(await ada.browser.open('/account/security/password'), { password: 'a third good phrase', others: [] });
    assert.equal(new URL((await other.open('/account/agents')).url).pathname, '/account/agents');
    assert.equal(await events('user.password_changed'), 2);
  });

  test('[LOG-06] [LOG-21] what cannot be a password is said beside the field, and the old one stays', async () => {
    for (const [bad, words] of [
      ['', /Choose a password/],
      ['short', /needs at least 12 characters/],
      ['x'.repeat(1025), /too long/],
      ['password1234', /attackers try it first/],
      [`i am ${ada.username} indeed`, /contains your name/],
    ] as const) {
      const page = await ada.browser.submit(await ada.browser.open('/account/security/password'), { password: bad });
      assert.equal(page.status, 400, bad.slice(0, 20));
      assert.match(page.html, words);
      assert.ok(bad === '' || !page.html.includes(`value="${bad}"`));
    }
    const other = on.browser();
    assert.equal(new URL((await signInOn(other, await other.open('/login'), ada.username)).url).pathname, '/account/agents');
  });

  test('the password is removed when there is another way in, and can be set again', async () => {
    const only = await ada.browser.open('/account/security');
    assert.match(only.html, /This is your only way in/);
    assert.equal(
      only.forms.some((one) => one.action.endsWith('/password/remove')),
      false,
    );
    const passkey = { id: `pk_${ada.id}`, userId: ada.id, credentialId: `c-${ada.id}`, userHandle: 'h', publicKey: 'k', counter: 0, transports: [] };
    const full = { ...passkey, aaguid: '00000000-0000-0000-0000-000000000000', backupEligible: true, backedUp: true, createdAt: on.clock.now() };
    await on.store.addPasskey(full, auditEvent('passkey.added', on.clock.now(), 'test'));
    const page = await ada.browser.open('/account/security');

    const removed = await ada.browser.submit({ ...page, forms: page.forms.filter((one) => one.action.endsWith('/password/remove')) });

    assert.match(removed.html, /Your password is removed/);
    const other = on.browser();
    assert.equal((await signInOn(other, await other.open('/login'), ada.username)).status, 400);
    await ada.browser.submit(await ada.browser.open('/account/security/password'), { password: 'a brand new phrase' });
    assert.equal(new URL((await signInOn(other, await other.open('/login'), ada.username, 'a brand new phrase')).url).pathname, '/account/agents');
    assert.equal(await events('user.password_removed'), 1);
  });

  test('[AZ-23] who has nothing stronger is not asked for ever: the client hears that its level cannot be reached', async () => {
    const begun = await ada.browser.open(on.url({ acr_values: 'aal2' }));
    assert.match(begun.title, /^Confirm it's you/);

    const back = await signInOn(ada.browser, begun, ada.username);

    assert.equal(answerOf(back.refresh).error, 'unmet_authentication_requirements');
    const { app } = await turnOn();
    on.clock.advance(30);
    assert.match((await ada.browser.open(on.url({ acr_values: 'aal2' }))).url, /\/authorize\/consent/);
    assert.ok(app());
  });
});

test('[META-15] where apps are switched off nobody sets one up, and who has one is asked all the same', async () => {
  const on = await stage({ signIn: { totp: false, passkeys: false } });
  try {
    const browser = await on.signedIn();
    assert.equal((await browser.open('/account/security/two-step')).status, 404);
    assert.doesNotMatch((await browser.open('/account/security')).html, /Second step/);
    const metadata = (await (await on.request('/.well-known/oauth-authorization-server')).json()) as { acr_values_supported: string[] };
    assert.deepEqual(metadata.acr_values_supported, ['aal1']);
    await setUpApp(on, on.user.id);
    const other = on.browser();
    assert.ok(isSecondStep(await signInOn(other, await other.open('/login'))));
    assert.match((await browser.open('/account/security')).html, /Second step/);
  } finally {
    await on.close();
  }
});
