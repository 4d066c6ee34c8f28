/**
 * An address that mail has reached is a way in, where codes by mail are on: what proves it, what does not, and what a person may then do without.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { makeInvitation, makeResetLink } from '../../src/account/operator-links.ts';
import { makeSetupLink } from '../../src/account/setup.ts';
import { waysOn } from '../../src/account/ways-in.ts';
import { auditEvent } from '../../src/audit/event.ts';
import type { Browser, Page } from '../browser.ts';
import { password } from './authorize-stage.ts';
import { codeIn, linkIn, type MailStage, mailStage } from './mail-stage.ts';
import { stage as upstreamStage } from './upstream-stage.ts';

const chosen = 'seven quiet otters sing';
const removal = '/account/security/password/remove';
const actions = (page: Page) => page.forms.map(({ action }) => action);
const tokenOf = (page: Page) => page.forms.find(({ action }) => action === removal)?.fields.find(({ name }) => name === 'csrf')?.value ?? '';

let on: MailStage;
let names = 0;
const provenAt = async (username: string) => (await on.store.findUserByLogin(username))?.user.emailProvenAt;

async function somebody(): Promise<{ id: string; username: string; email: string; browser: Browser }> {
  const username = `person${names++}`;
  const { id, email = '' } = await on.addUser({ username, password });
  const browser = on.browser();
  await browser.submit(await browser.open('/login'), { username, password });
  return { id, username, email, browser };
}

/** Signs in by the code that the name is sent. */
async function byCode(login: string, email: string, browser = on.browser()): Promise<Browser> {
  const page = await browser.open('/login?switch=new');
  const question = await browser.submit({ ...page, forms: page.forms.map((form) => ({ ...form, action: '/login/code' })) }, { username: login });
  const inside = await browser.submit(question, { code: codeIn(await on.mailTo(email)) });
  assert.equal(new URL(inside.url).pathname, '/account/agents');
  return browser;
}

describe('with codes by mail', () => {
  before(async () => {
    on = await mailStage();
  });
  after(() => on.close());
  // Each test may ask for as much mail as it wants.
  beforeEach(() => on.clock.advance(3600));

  test('[LOG-01] the last password goes once a code has come back, and never before', async () => {
    const { username, email, browser } = await somebody();
    const unproven = await browser.open('/account/security');
    assert.ok(unproven.html.includes(email) && /counts as a way in once you have done so/.test(unproven.html) && /only way in/.test(unproven.html));
    assert.ok(!actions(unproven).includes(removal));

    const inside = await byCode(username, email);
    const proven = await inside.open('/account/security');
    assert.doesNotMatch(proven.html, /counts as a way in|only way in/);
    const done = await inside.submit({ ...proven, forms: proven.forms.filter(({ action }) => action === removal) });

    assert.match(done.html, /Your password is removed/);
    assert.equal((await on.store.findUserByLogin(username))?.passwordHash, undefined);
    const page = await (await byCode(username, email)).open('/account/security');
    assert.ok(page.html.includes('You have no password') && !actions(page).includes(removal));
  });

  test('a code proves the address whether the name or the address was typed; a wrong one proves nothing', async () => {
    const one = await somebody();
    const browser = on.browser();
    const page = await browser.open('/login');
    const question = await browser.submit({ ...page, forms: page.forms.map((form) => ({ ...form, action: '/login/code' })) }, { username: one.username });
    await on.mailTo(one.email);
    assert.equal((await browser.submit(question, { code: '0000 0000' })).status, 400);
    assert.equal(await provenAt(one.username), undefined);

    await byCode(one.username, one.email);
    const two = await somebody();
    await byCode(two.email.toUpperCase(), two.email);

    assert.deepEqual([await provenAt(one.username), await provenAt(two.username)], [on.clock.now(), on.clock.now()]);
  });

  test('so do a sign-up by mail, a reset link by mail, and the link to another address', async () => {
    const fresh = on.browser();
    const question = await fresh.submit(await fresh.open('/signup'), { email: 'new@example.com' });
    await fresh.submit(await fresh.submit(question, { code: codeIn(await on.mailTo('new@example.com')) }), { name: 'New' });
    assert.equal(await provenAt('new@example.com'), on.clock.now());

    const lost = await somebody();
    const elsewhere = on.browser();
    await elsewhere.submit(await elsewhere.open('/reset'), { username: lost.username });
    const link = linkIn(await on.mailTo(lost.email));
    await elsewhere.open(link);
    assert.equal(await provenAt(lost.username), undefined);
    await elsewhere.submit(await elsewhere.open(link), { password: chosen });
    assert.equal(await provenAt(lost.username), on.clock.now());

    const mover = await somebody();
    await mover.browser.submit(await mover.browser.open('/account/email'), { email: 'moved@example.com' });
    await mover.browser.submit(await mover.browser.open(linkIn(await on.mailTo('moved@example.com'))));
    assert.deepEqual([await provenAt(mover.username), await provenAt('moved@example.com')], [on.clock.now(), on.clock.now()]);
  });

  test('what an operator says or hands over proves nothing: an address, an invitation, a reset link, the setup link', async () => {
    const moved = await somebody();
    await byCode(moved.username, moved.email);
    const event = auditEvent('user.email_changed', on.clock.now(), 'cli', { userId: moved.id });
    assert.equal(await on.store.changeEmail({ userId: moved.id, email: 'typo@example.com' }, event), 'changed');

    const invited = on.browser();
    await invited.submit(await invited.open(await makeInvitation({ email: 'guest@example.com', role: 'user' }, on.context)), { password: chosen });
    const lost = await somebody();
    const { user } = (await on.store.findUserByLogin(lost.username)) ?? assert.fail();
    const reset = on.browser();
    assert.match((await reset.submit(await reset.open(await makeResetLink(user, on.context)), { password: chosen })).url, /\/reset\/done/);
    const setup = on.browser();
    await setup.submit(await setup.open(await makeSetupLink(on.context)), { username: 'root', email: 'root@example.com', password: chosen });

    for (const username of [moved.username, 'guest', lost.username, 'root']) {
      assert.ok(await on.store.findUserByLogin(username), username);
      assert.equal(await provenAt(username), undefined, username);
    }
  });

  test('[ACC-05] the moment is in the data that a person downloads', async () => {
    const { username, email } = await somebody();
    const browser = await byCode(username, email);

    const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await on.request('/account/export', { headers: { Cookie: cookie } });

    const { data } = (await answer.json()) as { data: { users: { email_proven_at: string }[] } };
    assert.equal(Date.parse(data.users[0]?.email_proven_at ?? ''), on.clock.now() * 1000);
  });
});

test('where codes by mail are off, a proven address is no way in, and neither the page nor the form lets the password go', async () => {
  on = await mailStage({ emailCode: false });
  const { id, username, email, browser } = await somebody();
  const elsewhere = on.browser();
  await elsewhere.submit(await elsewhere.open('/reset'), { username });
  await elsewhere.submit(await elsewhere.open(linkIn(await on.mailTo(email))), { password: chosen });
  assert.equal(await provenAt(username), on.clock.now());
  await browser.submit(await browser.open('/login'), { username, password: chosen });

  const page = await browser.open('/account/security');

  assert.ok(/only way in/.test(page.html) && !page.html.includes('Codes by mail') && !actions(page).includes(removal));
  assert.equal(await on.store.countWaysIn(id, waysOn(on.context)), 1);
  const event = auditEvent('user.password_removed', on.clock.now(), `user:${id}`, { userId: id });
  assert.equal(await on.store.removePassword({ userId: id, ways: waysOn(on.context) }, event), 'last');
  await on.close();
});

test('a form that was good while codes were on refuses to take the last way in', async () => {
  on = await mailStage();
  const { id, username, email } = await somebody();
  const browser = await byCode(username, email);
  const page = await browser.open('/account/security');
  assert.ok(tokenOf(page));
  const event = auditEvent('user.email_changed', on.clock.now(), 'cli', { userId: id });
  await on.store.changeEmail({ userId: id, email: 'typo@example.com' }, event);

  const refused = await browser.submit({ ...page, forms: page.forms.filter(({ action }) => action === removal) });

  assert.match(refused.html, /The password is your only way in, so it stays/);
  assert.ok((await on.store.findUserByLogin(username))?.passwordHash);
  await on.close();
});

test('[LOG-07] an address that an upstream verified is proven; one that it did not is not kept at all', async () => {
  for (const email_verified of [true, false]) {
    const over = await upstreamStage({ sendMail: async () => 'sent', signIn: { signUp: 'open', emailCode: true } });
    over.acme.userinfo = { ...over.acme.userinfo, email_verified };
    // A fresh sign-in, whose page shows what may be removed.
    over.acme.claims = { auth_time: over.clock.now() };
    const browser = over.browser();
    await browser.submit(await over.through(browser));

    const found = (await over.store.findUpstreamUser(over.acme.issuer, 'subject-1')) ?? assert.fail();

    const now = over.clock.now();
    assert.deepEqual([found.email, found.emailProvenAt], email_verified ? ['grace@hopper.example', now] : [undefined, undefined]);
    const page = await browser.open('/account/security');
    assert.equal(
      page.forms.some(({ action }) => action.endsWith('/upstreams/unlink')),
      email_verified,
    );
    await over.close();
  }
});
