/**
 * Accepting an invitation with an account elsewhere: the address must be the invited one by the word of the upstream, the role is the invitation's, and it works once.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { makeInvitation } from '../../src/account/operator-links.ts';
import type { ServerOptions } from '../../src/options.ts';
import type { Browser, Page } from '../browser.ts';
import { type Stage, stage } from './upstream-stage.ts';

const sessionCookie = '__Host-aa_session';
const invited = 'grace@hopper.example';

async function begin(t: TestContext, signIn: ServerOptions['signIn'] = {}): Promise<Stage> {
  const on = await stage({ signIn: { signUp: 'invitation', ...signIn } });
  t.after(() => on.close());
  return on;
}
type On = Stage;

const invite = (on: On, email = invited) => makeInvitation({ email, role: 'owner' }, on.context);
const through = async (on: On, link: string, browser: Browser) => browser.open(on.acme.agree(await on.leave(browser, await browser.open(link))));
const create = (browser: Browser, page: Page) => browser.submit({ ...page, forms: page.forms.filter(({ action }) => action.endsWith('/login/first-time')) });
const found = (on: On) => on.store.findUpstreamUser(on.acme.issuer, 'subject-1');

test('[LOG-07] whoever is invited accepts with an account elsewhere: the role and address of the invitation, after a page that says so', async (t) => {
  const on = await begin(t);
  const link = await invite(on, 'Grace@Hopper.example');
  const browser = on.browser();
  const page = await through(on, `${link}&tx=nothing`, browser);

  assert.match(page.html, /You are invited to Auth-Agent/);
  assert.match(page.html, /Grace Hopper[\s\S]*Grace@Hopper\.example/);
  assert.deepEqual([await found(on), browser.cookies.has(sessionCookie)], [undefined, false]);
  const inside = await create(browser, page);

  assert.equal(new URL(inside.url).pathname, '/account/agents');
  const user = await found(on);
  const { role, email, name, emailProvenAt } = user ?? assert.fail();
  assert.deepEqual([role, email, name, emailProvenAt], ['owner', 'Grace@Hopper.example', 'Grace Hopper', on.clock.now()]);
  const [event, ...more] = await on.store.listEvents({ type: 'user.signed_up', limit: 9 });
  assert.deepEqual([event?.detail?.upstream, event?.detail?.by, more], ['acme', 'invitation', []]);
  assert.deepEqual((await on.store.listSessions(user?.id ?? '', on.clock.now()))[0]?.amr, ['fed']);
  assert.equal((await on.browser().open(link)).status, 400);
  assert.equal(new URL((await on.through(on.browser())).url).pathname, '/account/agents');
});

test('[LOG-07] an account elsewhere with another address, or with one that is not verified, is refused in words, and the invitation stays', async (t) => {
  const on = await begin(t);
  const link = await invite(on);
  for (const told of [
    { email: 'grace@elsewhere.example', email_verified: true },
    { email: invited, email_verified: false },
    { email: invited, email_verified: 'true' },
    { email: undefined },
  ]) {
    on.acme.userinfo = { sub: 'subject-1', name: 'Grace Hopper', ...told };
    const browser = on.browser();
    const page = await through(on, link, browser);

    assert.equal(page.status, 400);
    assert.match(page.html, /This invitation is for somebody else/);
    assert.ok(page.html.includes(invited) && page.html.includes(`/invite?token=`));
    assert.deepEqual([await found(on), browser.cookies.has(sessionCookie)], [undefined, false]);
  }
  assert.equal((await on.store.listUsers()).length, 1);
  assert.equal((await on.browser().open(link)).status, 200);
});

test('[LOG-07] who has an account here is not made another: by the account elsewhere, nor by the address', async (t) => {
  const on = await begin(t);
  const linked = await invite(on);
  await on.linked();
  const known = await through(on, linked, on.browser());
  assert.deepEqual([known.status, /That account is linked already/.test(known.html)], [400, true]);

  on.acme.claims = { sub: 'subject-2' };
  on.acme.userinfo = { ...on.acme.userinfo, sub: 'subject-2', email: on.user.email };
  const browser = on.browser();
  const page = await through(on, await invite(on, on.user.email), browser);
  assert.match(page.title, /^You have an account here/);
  assert.ok(!page.forms.some(({ action }) => action.endsWith('/login/first-time')));
  assert.equal((await on.store.listUsers()).length, 1);
});

test('an invitation that was used or ended meanwhile makes nobody, at every step', async (t) => {
  const on = await begin(t);
  const link = await invite(on);
  const [first, second, third] = [on.browser(), on.browser(), on.browser()];
  const form = await third.open(link);
  const away = await on.leave(second, await second.open(link));
  const question = await through(on, link, first);
  await invite(on);

  assert.equal((await create(first, question)).status, 400);
  assert.equal((await second.open(on.acme.agree(away))).status, 400);
  assert.equal((await third.submit(form, {}, 'acme')).status, 400);
  assert.deepEqual([await found(on), (await on.store.listUsers()).length], [undefined, 1]);
});

test('[LOG-02] the way to an upstream begins with the form of this invitation in this browser only', async (t) => {
  const on = await begin(t);
  const [one, other] = [await invite(on), await invite(on, 'other@example.com')];
  const browser = on.browser();
  const page = await browser.open(one);
  const token = new URL(other).searchParams.get('token') ?? '';
  const swapped = page.forms.map((form) => ({ ...form, fields: form.fields.map((field) => (field.name === 'token' ? { ...field, value: token } : field)) }));

  assert.equal((await browser.submit({ ...page, forms: swapped }, {}, 'acme')).status, 403);
  assert.equal((await on.browser().submit(page, {}, 'acme')).status, 403);
});

test('where nobody is invited, or nobody signs in elsewhere, there is no such way', async (t) => {
  const on = await begin(t);
  const link = await invite(on);
  assert.ok((await on.browser().open(link)).html.includes('/invite/upstream'));
  const { auditEvent } = await import('../../src/audit/event.ts');
  const browser = on.browser();
  const page = await browser.open(link);
  await on.store.removeUpstream('acme', auditEvent('upstream.removed', on.clock.now(), 'test'));
  assert.equal((await browser.submit(page, {}, 'acme')).status, 404);
  assert.ok(!(await on.browser().open(link)).html.includes('/invite/upstream'));

  const closed = await begin(t, { signUp: 'closed' });
  assert.equal((await closed.browser().open(await invite(closed))).status, 404);
});
