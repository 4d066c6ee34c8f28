/**
 * A server without passwords (`signIn.password: false`): none is asked for, chosen or reset, those that are kept open nothing, and everybody still has a way in.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { makeInvitation, makeResetLink } from '../../src/account/operator-links.ts';
import { makeSetupLink } from '../../src/account/setup.ts';
import { waysOn } from '../../src/account/ways-in.ts';
import { auditEvent, type EventType } from '../../src/audit/event.ts';
import type { UpstreamFetch } from '../../src/options.ts';
import type { Browser, Page } from '../browser.ts';
import { form } from '../harness.ts';
import { password, stage } from './authorize-stage.ts';
import { codeIn, type MailStage, mailStage } from './mail-stage.ts';

const fetchUpstream: UpstreamFetch = async () => {
  throw new Error('nobody is there');
};

const fieldOf = (page: Page, name: string) => page.forms[0]?.fields.find((field) => field.name === name)?.value;

describe('without passwords, with codes by mail', () => {
  let on: MailStage;
  before(async () => {
    on = await mailStage({ password: false });
  });
  after(() => on.close());

  async function byCode(username: string, email: string): Promise<Browser> {
    const browser = on.browser();
    const page = await browser.open('/login');
    const question = await browser.submit({ ...page, forms: page.forms.map((form) => ({ ...form, action: '/login/code' })) }, { username });
    const inside = await browser.submit(question, { code: codeIn(await on.mailTo(email)) });
    assert.equal(new URL(inside.url).pathname, '/account/agents');
    return browser;
  }

  test('the sign-in page asks for a name alone, its code signs in, and no page speaks of a password', async () => {
    const { html } = await on.browser().open('/login');
    assert.ok(html.includes('formaction="/login/code"') && html.includes('name="username"'));
    assert.ok(!html.includes('type="password"') && !html.includes('/reset'));

    const browser = await byCode('ada', on.user.email ?? '');

    assert.doesNotMatch((await browser.open('/account/security')).html, /account\/security\/password/);
    assert.doesNotMatch((await browser.open('/login?reason=confirm&to=security')).html, /type="password"|Enter your password/);
  });

  test('[META-15] a right password, and every address of passwords, is answered as what is not there', async () => {
    const browser = on.browser();
    const page = await browser.open('/login');
    const cookie = () => [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const csrf = fieldOf(page, 'csrf') ?? '';
    const sent = await on.request('/login', form({ username: 'ada', password, csrf }, { Cookie: cookie(), Accept: 'text/html' }));
    assert.deepEqual([sent.status, sent.headers.getSetCookie().filter((one) => /session/.test(one))], [404, []]);

    const inside = await byCode('ada', on.user.email ?? '');
    const own = { Cookie: [...inside.cookies].map(([name, value]) => `${name}=${value}`).join('; '), Accept: 'text/html' };
    for (const path of ['/reset', '/reset?token=ol_x', '/reset/sent', '/reset/done', '/account/security/password', '/.well-known/change-password'])
      assert.equal((await on.request(path, { headers: own })).status, 404, path);
    for (const path of ['/reset', '/account/security/password', '/account/security/password/remove'])
      assert.equal((await on.request(path, form({ csrf, password: 'seven quiet otters sing', token: 'x' }, own))).status, 404, path);
    await assert.rejects(makeResetLink(on.user, on.context), /switched off/);
    assert.equal(await on.store.hasPassword(on.user.id), true);
  });

  test('a password that is kept is no way in, so the last other way cannot be taken away', async () => {
    const ways = waysOn(on.context);
    assert.equal(ways.password, false);
    assert.equal(await on.store.hasPassword(on.user.id), true);
    assert.equal(await on.store.countWaysIn(on.user.id, { ...ways, emailCode: false }), 0);
  });

  test('the setup link, an invitation and sign-up make people without a password, who come in by a code', async () => {
    const browser = on.browser();
    const setup = await browser.open(await makeSetupLink(on.context));
    assert.ok(!setup.html.includes('name="password"'));
    assert.equal((await browser.submit(setup, { username: 'root', email: 'root@example.com' })).status, 200);
    const invited = on.browser();
    const last = await invited.open(await makeInvitation({ email: 'bob@example.com', role: 'user' }, on.context));
    assert.ok(!last.html.includes('name="password"'));
    // Nobody smuggles a password in.
    await on.request('/invite', form({ password: 'seven quiet otters sing' }));
    assert.equal(new URL((await invited.submit(last)).url).pathname, '/account/agents');

    for (const [username, email] of [
      ['root', 'root@example.com'],
      ['bob', 'bob@example.com'],
    ] as const) {
      await byCode(username, email);
      const found = await on.store.findUserByLogin(username);
      assert.equal(found?.passwordHash, undefined);
    }
  });

  test('a notice and the page of one’s agents advise nothing about passwords', async () => {
    const browser = await byCode('ada', on.user.email ?? '');
    const happened = (type: EventType) => auditEvent(type, on.clock.now(), 'test', { userId: on.user.id });
    await on.store.recordEvent(on.context.mail.notify(happened('passkey.removed'), { kind: 'passkey-removed', user: on.user }));
    const { text } = await on.mailTo(on.user.email ?? '');
    assert.match(text, /remove passkeys and linked accounts that are not yours/);
    assert.doesNotMatch(text, /password/i);

    await browser.submit(await browser.open(on.url()), {}, 'allow');
    const [grant = assert.fail()] = await on.store.listGrants({ userId: on.user.id }, on.clock.now());
    await on.store.pauseAgent(on.user.id, grant.id, happened('grant.paused'));
    const stopped = await browser.open(`/account/activity?stopped=${grant.id}`);
    assert.match(stopped.html, /Disconnect it/);
    assert.doesNotMatch(stopped.html, /account\/security\/password/);
  });

  test('metadata offers the levels that can still be reached', async () => {
    const metadata = (await (await on.request('/.well-known/oauth-authorization-server')).json()) as { acr_values_supported: string[] };
    assert.deepEqual(metadata.acr_values_supported, ['aal1', 'aal2']);
  });
});

describe('without passwords and without codes', () => {
  test('who is invited links an upstream or adds a passkey first, and strangers come from an upstream', async () => {
    const on = await mailStage({ password: false, emailCode: false }, { fetchUpstream });
    const browser = on.browser();
    const start = await browser.open('/login');
    assert.ok(!start.html.includes('name="username"') && !start.html.includes('/signup'));
    assert.equal((await on.request('/signup')).status, 404);

    const inside = await browser.submit(await browser.open(await makeInvitation({ email: 'bob@example.com', role: 'user' }, on.context)));

    assert.equal(new URL(inside.url).pathname, '/account/security');
    await on.close();
  });

  test('a server into which nobody could come is refused: passkeys alone let nobody in the first time', async () => {
    const refused = /"signIn.password" can be false only with "signIn.emailCode" or upstreams/;
    await assert.rejects(stage({ signIn: { password: false } }), refused);
    await assert.rejects(stage({ signIn: { password: false, passkeys: true, signUp: 'invitation' } }), refused);
    await (await stage({ signIn: { password: false }, fetchUpstream })).close();
  });
});
