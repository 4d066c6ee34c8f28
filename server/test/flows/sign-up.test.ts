/**
 * Making an account: by a proven mailbox where strangers may, by an invitation where an operator sent one. Who has an account shows to nobody.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { makeInvitation } from '../../src/account/operator-links.ts';
import type { Browser, Page } from '../browser.ts';
import { form, issuer } from '../harness.ts';
import { answerOf, signInOn, stage } from './authorize-stage.ts';
import { anotherCode, codeIn, linkIn, type MailStage, mailStage } from './mail-stage.ts';

const chosen = 'seven quiet otters sing';
const fieldOf = (page: Page, name: string) => page.forms[0]?.fields.find((field) => field.name === name)?.value;
const cookieOf = (browser: Browser) => [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');

describe('signing up', () => {
  let on: MailStage;
  before(async () => {
    on = await mailStage();
  });
  after(() => on.close());
  // Each test may ask for as much mail as it wants.
  beforeEach(() => on.clock.advance(3600));

  const asked = async (email: string, browser = on.browser(), path = '/signup') => ({
    browser,
    page: await browser.submit(await browser.open(path), { email }),
  });
  const proven = async (email: string) => {
    const { browser, page } = await asked(email);
    return { browser, page: await browser.submit(page, { code: codeIn(await on.mailTo(email)) }) };
  };
  const known = (login: string) => on.store.findUserByLogin(login);

  test('[LINK-05] a proven mailbox and a password make an account, and the request that waits goes on', async () => {
    const browser = on.browser();
    const begun = await browser.open(on.url());
    const href = /href="(\/signup\?[^"]*)"/.exec(begun.html)?.[1]?.replaceAll('&amp;', '&') ?? '';
    const start = await browser.open(href);
    assert.match(start.html, /come straight back to the request from/);
    const code = await browser.submit(start, { email: 'Grace.Hopper@example.com' });
    assert.match(code.html, /Grace\.Hopper@example\.com/);
    assert.equal(await known('grace.hopper@example.com'), undefined);

    const last = await browser.submit(code, { code: codeIn(await on.mailTo('Grace.Hopper@example.com')) });
    assert.equal(new URL(last.url).pathname, '/signup/account');
    const consent = await browser.submit(last, { name: 'Grace Hopper', password: chosen });

    assert.equal(new URL(consent.url).pathname, '/authorize/consent');
    const back = await browser.submit(consent, {}, 'allow');
    assert.match(answerOf(back.refresh).code ?? '', /^ac_/);
    const user = (await known('grace.hopper@example.com'))?.user;
    assert.deepEqual([user?.email, user?.name, user?.role], ['Grace.Hopper@example.com', 'Grace Hopper', 'user']);
    assert.match(user?.username ?? '', /^Grace\.Hopper-[a-z2-9]{5}$/);
    const [event] = await on.store.listEvents({ type: 'user.signed_up', limit: 1 });
    assert.equal(event?.userId, user?.id);
    const other = on.browser();
    assert.equal(new URL((await signInOn(other, await other.open('/login'), 'grace.hopper@EXAMPLE.com', chosen)).url).pathname, '/account/agents');
  });

  test('[LINK-05] without a password the account is reached by codes alone', async () => {
    const { browser, page } = await proven('codes@example.com');
    const done = await browser.submit(page, {});

    assert.equal(new URL(done.url).pathname, '/account/agents');
    assert.equal((await known('codes@example.com'))?.passwordHash, undefined);
    const withoutCodes = await mailStage({ emailCode: false });
    const other = withoutCodes.browser();
    const start = await other.submit(await other.open('/signup'), { email: 'codes@example.com' });
    const last = await other.submit(start, { code: codeIn(await withoutCodes.mailTo('codes@example.com')) });
    const refused = await other.submit(last, {});
    assert.deepEqual([refused.status, /Choose a password/.test(refused.html)], [400, true]);
    await withoutCodes.close();
  });

  test('[LINK-03] an address with an account gets the same page and no code; only the mailbox learns it', async () => {
    const pages = [];
    for (const email of ['new-one@example.com', 'ada@example.com']) {
      const { browser, page } = await asked(email);
      const tried = [];
      for (let guess = 0; guess < 6; guess++) tried.push(await browser.submit(page, { code: anotherCode('0000 0000', guess) }));
      pages.push(
        [page, ...tried].map(({ status, html }) => [status, html.replaceAll(email, '').replaceAll(/(value|id)="[A-Za-z0-9_.+=/-]{12,}"|req_\w+/g, '')]),
      );
    }

    assert.deepEqual(pages[0], pages[1]);
    const mail = await on.mailTo('ada@example.com');
    assert.match(mail.text, /It has one already/);
    assert.equal(codeIn(mail), '');
    assert.equal(linkIn(mail), `${issuer}/login`);
  });

  test('[LINK-05] nobody gets an account with somebody else’s mailbox, and nobody chooses the password of its owner', async () => {
    const attacker = await asked('victim@example.com');
    const mail = await on.mailTo('victim@example.com');
    const victim = on.browser();
    await victim.open('/login');

    const seen = await victim.open(linkIn(mail));
    assert.deepEqual([seen.status, seen.forms.map(({ action }) => action)], [200, ['/language']]);
    for (const path of ['/signup/account', `/signup/account?flow=${fieldOf(attacker.page, 'flow')}`]) {
      for (const browser of [attacker.browser, victim]) assert.equal((await browser.open(path)).status, 400);
    }
    const csrf = fieldOf(attacker.page, 'csrf') ?? '';
    const flow = fieldOf(attacker.page, 'flow') ?? '';
    const posted = await on.request('/signup/account', form({ flow, csrf, password: chosen }, { Cookie: cookieOf(attacker.browser) }));
    assert.equal(posted.status, 403);
    assert.equal(await known('victim@example.com'), undefined);
  });

  test('[LINK-05] a proven mailbox makes one account, within half an hour, in its browser', async () => {
    const first = await proven('once@example.com');
    const stranger = on.browser();
    await stranger.open('/login');
    assert.equal((await stranger.open(first.page.url)).status, 400);
    const results = await Promise.all([0, 1, 2].map(() => first.browser.submit(first.page, { password: chosen })));
    assert.equal(results.filter(({ url }) => url.endsWith('/account/agents')).length, 1);
    assert.equal((await first.browser.open(first.page.url)).status, 400);

    const late = await proven('late@example.com');
    on.clock.advance(1800);
    assert.equal((await late.browser.submit(late.page, { password: chosen })).status, 400);
    assert.equal(await known('late@example.com'), undefined);
  });

  test('[LINK-05] of two who prove the same mailbox one gets the account, and the other learns it', async () => {
    const [one, two] = [await proven('shared@example.com'), await proven('shared@example.com')];
    await one.browser.submit(one.page, { password: chosen });
    const second = await two.browser.submit(two.page, { password: chosen });

    assert.deepEqual([second.status, /There is an account with this address already/.test(second.html)], [400, true]);
  });

  test('[LOG-06] what cannot be used is said beside the field, and nothing is created', async () => {
    const { browser, page } = await proven('careful@example.com');
    const wrong: [Record<string, string>, RegExp][] = [
      [{ password: 'short' }, /at least 12 characters/],
      [{ password: 'x'.repeat(1025) }, /too long/],
      [{ password: 'password1234' }, /Many people use this password/],
      [{ password: 'careful horse staple' }, /contains your name/],
      [{ password: chosen, name: 'x'.repeat(101) }, /up to 100/],
      [{ password: chosen, name: 'a\u202Eb' }, /up to 100/],
    ];
    for (const [fields, text] of wrong) {
      const again = await browser.submit(page, fields);
      assert.equal(again.status, 400);
      assert.match(again.html, text);
      assert.match(again.html, /aria-invalid="true"/);
      assert.doesNotMatch(again.html, /name="password"[^>]* value=/);
    }
    assert.equal(await known('careful@example.com'), undefined);
    assert.equal(new URL((await browser.submit(page, { password: chosen })).url).pathname, '/account/agents');
    for (const email of ['', 'ada', 'a b@example.com', '<x>@example.com', 'a@b, c@d']) {
      const fresh = on.browser();
      const refused = await fresh.submit(await fresh.open('/signup'), { email });
      assert.equal(refused.status, 400, email);
    }
  });

  test('[LINK-06] mail to one mailbox is limited, for addresses with an account as for others', async () => {
    for (const email of ['flooded@example.com', 'ada@example.com']) {
      const before = (await on.mails()).length;
      const statuses = [];
      for (let mail = 0; mail < 12; mail++) statuses.push((await asked(email)).page.status);
      assert.deepEqual(statuses, [...Array(10).fill(200), 429, 429]);
      assert.equal((await on.mails()).length - before, 10);
      on.clock.advance(3600);
    }
  });
});

describe('an invitation', () => {
  let on: MailStage;
  before(async () => {
    on = await mailStage({ signUp: 'invitation' });
  });
  after(() => on.close());
  const invite = (email: string, role: 'user' | 'owner' = 'user') => makeInvitation({ email, role }, on.context);

  test('[LINK-07] makes one account, for its address and role, and signs in', async () => {
    const link = await invite('bob@example.com', 'owner');
    assert.match(link, /^https:\/\/auth\.example\.com\/invite\?token=ol_[A-Za-z0-9_-]{43}$/);
    const [first, second] = [on.browser(), on.browser()];
    const [one, two] = [await first.open(link), await second.open(link)];
    assert.match(one.html, /value="bob@example\.com" readonly/);

    const results = await Promise.all([first.submit(one, { password: chosen, username: 'eve@example.com' }), second.submit(two, { password: chosen })]);

    assert.deepEqual(results.map(({ status }) => status).toSorted(), [200, 400]);
    const user = (await on.store.findUserByLogin('bob@example.com'))?.user;
    assert.deepEqual([user?.username, user?.role, user?.email], ['bob', 'owner', 'bob@example.com']);
    assert.equal(await on.store.findUserByLogin('eve@example.com'), undefined);
    assert.match((await first.open(link)).html, /This invitation no longer works/);
  });

  test('[LINK-07] a name that is taken gets an end of its own', async () => {
    const browser = on.browser();
    await browser.submit(await browser.open(await invite('ada@other.example')), { password: chosen });

    assert.match((await on.store.findUserByLogin('ada@other.example'))?.user.username ?? '', /^ada-[a-z2-9]{5}$/);
  });

  test('[LINK-07] works for seven days, until a newer one is sent, and only its own form is taken', async () => {
    const browser = on.browser();
    const old = await invite('carol@example.com');
    const page = await browser.open(old);
    const csrf = fieldOf(page, 'csrf') ?? '';
    const token = fieldOf(page, 'token') ?? '';
    assert.equal((await on.request('/invite', form({ token, csrf, password: chosen }))).status, 403);
    const newer = await invite('CAROL@example.com');
    assert.equal((await browser.submit(page, { password: chosen })).status, 400);
    assert.equal((await browser.open(newer)).status, 200);
    on.clock.advance(7 * 86_400);
    for (const link of [newer, `${issuer}/invite?token=ol_guess`, `${issuer}/invite`]) assert.equal((await browser.open(link)).status, 400);
    assert.equal(await on.store.findUserByLogin('carol@example.com'), undefined);
  });

  test('[LINK-07] strangers cannot sign up, and with sign-up closed an invitation is worth nothing', async () => {
    const browser = on.browser();
    assert.equal((await browser.open('/signup')).status, 404);
    assert.doesNotMatch((await browser.open('/login')).html, /\/signup/);
    const closed = await stage();
    const link = await makeInvitation({ email: 'dave@example.com', role: 'user' }, closed.context);
    assert.equal((await closed.browser().open(link)).status, 404);
    await closed.close();
  });
});
