/**
 * A forgotten password: asking by mail, a link from an operator, and what a new password ends and leaves.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { makeResetLink } from '../../src/account/operator-links.ts';
import type { Browser, Page } from '../browser.ts';
import { form, issuer } from '../harness.ts';
import { password, signInOn, stage } from './authorize-stage.ts';
import { linkIn, type MailStage, mailStage } from './mail-stage.ts';
import { isSecondStep, setUpApp } from './second-step-stage.ts';

const chosen = 'seven quiet otters sing';
const fieldOf = (page: Page, name: string) => page.forms[0]?.fields.find((field) => field.name === name)?.value;
const cookieOf = (browser: Browser) => [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');

describe('a forgotten password', () => {
  let on: MailStage;
  before(async () => {
    on = await mailStage({ signUp: 'closed', emailCode: false });
  });
  after(() => on.close());
  // Each test may ask for as much mail as it wants.
  beforeEach(() => on.clock.advance(3600));

  const ask = async (username: string, browser = on.browser()) => browser.submit(await browser.open('/reset'), { username });
  const canSignIn = async (secret: string) => {
    const browser = on.browser();
    return new URL((await signInOn(browser, await browser.open('/login'), 'ada', secret)).url).pathname === '/account/agents';
  };

  test('[LINK-04] the link sets a new password once, ends every session, and leaves agents connected', async () => {
    const old = await on.signedIn();
    const agent = await old.open(on.url());
    await old.submit(agent, {}, 'allow');
    const grants = await on.store.listGrants({ userId: on.user.id }, on.clock.now());
    const browser = on.browser();
    const begun = await browser.open(on.url());
    const href = /href="(\/reset\?tx=[^"]*)"/.exec(begun.html)?.[1] ?? '';
    const sent = await browser.submit(await browser.open(href), { username: 'ada' });
    assert.equal(new URL(sent.url).pathname, '/reset/sent');
    const link = linkIn(await on.mailTo('ada@example.com'));
    assert.match(link, /^https:\/\/auth\.example\.com\/reset\?token=ol_[A-Za-z0-9_-]{43}&tx=/);

    const page = await browser.open(link);
    assert.match(page.html, /value="ada" readonly autocomplete="username"/);
    const done = await browser.submit(page, { password: chosen });

    assert.equal(new URL(done.url).pathname, '/reset/done');
    assert.match(done.html, /Agents you connected are still connected/);
    assert.deepEqual([await canSignIn(password), await canSignIn(chosen)], [false, true]);
    assert.notEqual(new URL((await old.open('/account/agents')).url).pathname, '/account/agents');
    assert.deepEqual(await on.store.listGrants({ userId: on.user.id }, on.clock.now()), grants);
    assert.ok(grants.length > 0);
    assert.equal((await browser.open(link)).status, 400);
    assert.notEqual(new URL((await browser.open('/account/agents')).url).pathname, '/account/agents');
    const onward = /href="(\/login\?[^"]*)"/.exec(done.html)?.[1]?.replaceAll('&amp;', '&') ?? '';
    assert.equal(new URL((await signInOn(browser, await browser.open(onward), 'ada', chosen)).url).pathname, '/authorize/consent');
  });

  test('[LINK-04] a second step stays, and a mail tells the person that the password was changed', async () => {
    const tess = await on.addUser({ username: 'tess', password });
    await setUpApp(on, tess.id);
    await ask('tess');
    const browser = on.browser();
    await browser.submit(await browser.open(linkIn(await on.mailTo('tess@example.com'))), { password: chosen });

    assert.match((await on.mailTo('tess@example.com')).subject, /password/i);
    assert.doesNotMatch((await on.mailTo('tess@example.com')).text, /\/reset\?token/);
    assert.equal(isSecondStep(await signInOn(browser, await browser.open('/login'), 'tess', chosen)), true);
  });

  test('[LINK-04] of two who use a link at once one sets the password, and every other link is dead', async () => {
    await ask('ada');
    const first = linkIn(await on.mailTo('ada@example.com'));
    await ask('ada');
    const second = linkIn(await on.mailTo('ada@example.com'));
    const [one, two] = [on.browser(), on.browser()];
    const [pageOne, pageTwo] = [await one.open(second), await two.open(second)];

    const results = await Promise.all([one.submit(pageOne, { password: chosen }), two.submit(pageTwo, { password: `${chosen} twice` })]);

    assert.deepEqual(results.map(({ status }) => status).toSorted(), [200, 400]);
    for (const link of [first, second]) {
      const { html } = await one.open(link);
      assert.match(html, /This link no longer works/);
      assert.doesNotMatch(html, /sign-in request is too old/, 'nobody asked to sign in');
      assert.match(html, /<a class="button quiet" href="\/login">Back to sign-in</);
    }
  });

  test('[LINK-02] opening a link changes nothing, it lasts an hour, and a guess opens nothing', async () => {
    await ask('ada@example.com');
    const link = linkIn(await on.mailTo('ada@example.com'));
    const browser = on.browser();
    for (let again = 0; again < 5; again++) assert.equal((await browser.open(link)).status, 200);

    const guesses = [`${issuer}/reset?token=ol_guess`, `${link}x`, link.slice(0, -1), link.replace('ol_', 'st_')];
    for (const guess of guesses) assert.equal((await browser.open(guess)).status, 400, guess);
    on.clock.advance(3600);
    assert.equal((await browser.open(link)).status, 400);
  });

  test('[LINK-03] whoever asks sees and causes the same, whether there is an account, a mailbox or neither', async () => {
    await on.addUser({ username: 'silent', email: undefined });
    const seen = new Set<string>();
    const work = new Set<string>();
    const before = (await on.mails()).length;
    for (const username of ['ada', 'silent', 'nobody', 'nobody@example.com']) {
      const calls: string[] = [];
      const { driver } = on.server.options;
      const { write } = driver;
      const browser = on.browser();
      const page = await browser.open('/reset');
      driver.write = (statements) => {
        calls.push(...statements.map(({ text }) => text.slice(0, 40)));
        return write(statements);
      };
      const answer = await browser.submit(page, { username });
      Object.assign(driver, { write });
      work.add(calls.join(' '));
      seen.add(JSON.stringify([answer.status, answer.url, answer.html.replaceAll(/req_\w+|value="[A-Za-z0-9_.+=/-]{12,}"/g, '')]));
    }

    assert.equal(seen.size, 1);
    assert.equal(work.size, 1, [...work].join('\n'));
    assert.equal((await on.mails()).length, before + 1);
  });

  test('[LINK-06] a name gets ten links an hour, an address may ask for a hundred', async () => {
    const statuses = [];
    for (let mail = 0; mail < 12; mail++) statuses.push((await ask('ada')).status);
    assert.deepEqual(statuses, [...Array(10).fill(200), 429, 429]);
    for (let mail = 0; mail < 90; mail++) statuses.push((await ask(`x${mail}`)).status);
    assert.deepEqual(statuses.slice(12), [...Array(88).fill(200), 429, 429]);
  });

  test('[LINK-04] a password that cannot be used leaves the link as it was', async () => {
    await ask('ada');
    const browser = on.browser();
    const page = await browser.open(linkIn(await on.mailTo('ada@example.com')));
    for (const secret of ['', 'short', 'password1234', 'my name is ada lovelace', 'x'.repeat(1025)]) {
      const again = await browser.submit(page, { password: secret });
      assert.equal(again.status, 400, secret.slice(0, 20));
      assert.match(again.html, /aria-invalid="true"/);
    }
    assert.equal(new URL((await browser.submit(page, { password: chosen })).url).pathname, '/reset/done');
  });

  test('[LOG-02] a new password needs the form of its own link, in its browser', async () => {
    await ask('ada');
    const browser = on.browser();
    const page = await browser.open(linkIn(await on.mailTo('ada@example.com')));
    const token = fieldOf(page, 'token') ?? '';
    const csrf = fieldOf(page, 'csrf') ?? '';
    const general = fieldOf(await browser.open('/reset'), 'csrf') ?? '';
    const events = (await on.store.listEvents({ type: 'user.password_reset', limit: 100 })).length;

    for (const init of [
      form({ token, csrf, password: chosen }),
      form({ token, csrf: general, password: chosen }, { Cookie: cookieOf(browser) }),
      form({ token, csrf, password: chosen }, { Cookie: cookieOf(browser), 'Sec-Fetch-Site': 'cross-site' }),
    ])
      assert.equal((await on.request('/reset', init)).status, 403);
    assert.equal((await on.store.listEvents({ type: 'user.password_reset', limit: 100 })).length, events);
  });

  test('[LINK-04] an operator’s link works without mail, for a day, and a newer one ends it', async () => {
    const without = await stage();
    const browser = without.browser();
    assert.match((await browser.open('/reset')).html, /sends no mail/);
    const first = await makeResetLink(without.user, without.context);
    const second = await makeResetLink(without.user, without.context);

    assert.equal((await browser.open(first)).status, 400);
    without.clock.advance(86_399);
    assert.equal(new URL((await browser.submit(await browser.open(second), { password: chosen })).url).pathname, '/reset/done');
    const third = await makeResetLink(without.user, without.context);
    without.clock.advance(86_400);
    assert.equal((await browser.open(third)).status, 400);
    const csrf = fieldOf(await browser.open('/reset'), 'csrf');
    assert.equal(csrf, undefined);
    await without.close();
  });
});
