/**
 * Upstreams that let people through without asking and do not say when they last asked: they sign people in, and never stand for a fresh sign-in.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { auditEvent } from '../../src/audit/event.ts';
import type { ServerOptions } from '../../src/options.ts';
import type { Browser, Page } from '../browser.ts';
import { upstreamProvider } from '../upstream-provider.ts';
import { password, signInOn } from './authorize-stage.ts';
import { type Stage, stage } from './upstream-stage.ts';

const deletes = { scope: 'files:read files:delete' };
const isConfirm = ({ title }: Page) => /^Confirm it's you/.test(title);
const actionsOf = ({ forms }: Page) => forms.map(({ action }) => new URL(action, 'https://any.example').pathname);

async function begin(t: TestContext, options: Partial<ServerOptions> = {}): Promise<Stage> {
  const on = await stage(options);
  t.after(() => on.close());
  return on;
}

/** Somebody with a password who comes back through an upstream that did not ask. */
async function comesSilently(on: Stage): Promise<Browser> {
  await on.linked();
  const browser = on.browser();
  await on.through(browser, '/login?switch=1');
  assert.equal((await browser.open('/account/agents')).status, 200);
  return browser;
}

test('[LOG-20] [LOG-07] whoever an upstream let in without asking confirms before heavy decisions, with what they have here', async (t) => {
  const on = await begin(t);
  const browser = await comesSilently(on);

  for (const path of ['/account/export', '/account/delete', '/account/email', '/account/security/password', '/account/security/two-step'])
    assert.ok(isConfirm(await browser.open(path)), path);
  const confirm = await browser.open(on.url(deletes));
  assert.ok(isConfirm(confirm), confirm.title);
  assert.match((await signInOn(browser, confirm)).url, /\/authorize\/consent/);
});

test('[LOG-20] a browser left open does not confirm itself by way of the plain sign-in page and an upstream that does not ask', async (t) => {
  const on = await begin(t);
  await on.linked();
  const browser = await on.signedIn();
  on.clock.advance(3600);

  await on.through(browser, '/login?switch=1');

  assert.ok(isConfirm(await browser.open('/account/export')));
});

test('[AZ-22] [LOG-07] prompt=login and max_age are not met by a sign-in of which nobody says when it was', async (t) => {
  const on = await begin(t);
  await on.linked();
  for (const demand of [{ prompt: 'login' }, { max_age: '0' }, { max_age: '600' }]) {
    const browser = on.browser();
    const asked = await browser.open(on.url({ scope: 'files:read', ...demand }));
    const tx = /name="tx" value="([^"]+)"/.exec(asked.html)?.[1];
    on.clock.advance(1);
    await on.through(browser, '/login?switch=1');

    const next = await browser.open(`/authorize/consent?tx=${tx}`);

    assert.ok(isConfirm(next), JSON.stringify(demand));
    assert.match((await signInOn(browser, next)).url, /\/authorize\/consent/);
  }
});

test('[LOG-20] a wrong password, a throttled try or an empty name leave the confirmation what it was', async (t) => {
  const on = await begin(t, { signIn: { emailCode: true, signUp: 'closed' }, sendMail: async () => 'sent' });
  await on.linked();
  const browser = await on.signedIn();
  const confirm = await browser.open('/login?reason=confirm&to=security');
  assert.ok(isConfirm(confirm));
  const signInForm = (page: Page) => page.forms.filter(({ action }) => action.endsWith('/login'));

  const wrong = await browser.submit({ ...confirm, forms: signInForm(confirm) }, { password: 'wrong' });

  assert.equal(wrong.status, 400);
  assert.ok(isConfirm(wrong), wrong.title);
  assert.match(wrong.html, /name="reason" value="confirm"/);
  const code = await browser.submit({ ...wrong, forms: signInForm(wrong).map((one) => ({ ...one, action: '/login/code' })) }, {});
  assert.match(code.url, /\/code\?.*reason=confirm/);
  assert.match(code.html, /name="reason" value="confirm"/);
  assert.match(code.html, /href="\/login\?[^"]*reason=confirm/);
  const right = await browser.submit({ ...wrong, forms: signInForm(wrong) }, { password });
  assert.match(right.url, /\/account\/security/);
});

test('[LOG-20] whoever has nothing here to confirm with may add a first way after a sign-in of lately, and do nothing else', async (t) => {
  const on = await begin(t);
  const elsewhere = upstreamProvider('https://base.example/auth/v1', on.clock.now);
  await on.list('base', elsewhere, { recipe: 'supabase' });
  const { id: userId } = await on.addUser({ username: 'only' });
  const identity = { issuer: elsewhere.issuer, subject: 'subject-1', upstreamId: 'base', userId, createdAt: on.clock.now() };
  assert.equal(await on.store.linkUpstream(identity, auditEvent('upstream.linked', on.clock.now(), 'test')), 'linked');
  const browser = on.browser();
  const comes = async () => browser.open(elsewhere.agree(await on.leave(browser, await browser.open('/login?switch=1'), 'base')));
  await comes();
  on.clock.advance(301);
  assert.match((await browser.open('/account/security/password')).html, /which cannot confirm here that it is you/);
  await comes();

  assert.match((await browser.open('/account/export')).html, /which cannot confirm here that it is you/);
  assert.match((await browser.open(on.url(deletes))).html, /which cannot confirm here that it is you/);
  assert.ok(actionsOf(await browser.open('/account/security')).includes('/account/security/passkeys'));
  const form = await browser.open('/account/security/password');
  const set = await browser.submit(form, { password: 'a long enough first password', others: '1' });
  assert.equal(new URL(set.url).pathname, '/account/security');
  assert.ok(await on.store.hasPassword(userId));

  // From then on there is something to confirm with.
  assert.ok(isConfirm(await browser.open('/account/security/password')));
  assert.ok(!actionsOf(await browser.open('/account/security')).includes('/account/security/passkeys'));
});

test('[AZ-22] a stranger whose upstream has a slow clock makes an account on the first round of prompt=login', async (t) => {
  const on = await begin(t, { signIn: { signUp: 'open' } });
  on.acme.claims = { sub: 'newcomer' };
  on.acme.userinfo = { sub: 'newcomer', name: 'New', preferred_username: 'newcomer' };
  const browser = on.browser();
  const there = await on.leave(browser, await browser.open(on.url({ scope: 'files:read', prompt: 'login' })));
  on.acme.claims = { sub: 'newcomer', auth_time: on.clock.now() - 20 };

  const question = await browser.open(on.acme.agree(there));
  const next = await browser.submit(question, {});

  assert.match(next.url, /\/authorize\/consent/);
  assert.match(next.title, /^Allow /);
});

test('the way to an upstream does not forget which agent a notice warned of', async (t) => {
  const on = await begin(t);
  await on.linked();
  const browser = await on.signedIn();
  await browser.submit(await browser.open(on.url({ scope: 'files:read' })), {}, 'allow');
  const [grant] = await on.store.listGrants({ userId: on.user.id }, on.clock.now());

  const page = await on.through(on.browser(), `/login?to=pause&grant=${grant?.id}`);

  assert.match(page.url, new RegExp(`/account/agents/pause\\?grant=${grant?.id}`));
});
