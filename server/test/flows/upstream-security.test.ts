/**
 * The accounts elsewhere on the page of sign-in and sessions: linking another, ending a link, and the last way in.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { auditEvent } from '../../src/audit/event.ts';
import type { OutgoingMail } from '../../src/options.ts';
import { atAcme, upstream } from '../../src/storage/contract/upstreams.ts';
import { handOver } from '../queue-mail.ts';
import { signInOn } from './authorize-stage.ts';
import { type Stage, stage } from './upstream-stage.ts';

const sessionCookie = '__Host-aa_session';

async function begin(t: TestContext): Promise<Stage> {
  const on = await stage();
  t.after(() => on.close());
  return on;
}
const linkedTo = (on: Stage) => on.store.findUpstreamUser(on.acme.issuer, 'subject-1').then((user) => user?.id);

test('[LOG-07] somebody who is signed in links an account elsewhere: they go there, come back and press Link', async (t) => {
  const on = await begin(t);
  const browser = await on.signedIn();
  const there = await on.leave(browser, await browser.open('/account/security'));
  const question = await browser.open(on.acme.agree(there));

  assert.match(question.title, /^Link Acme\?/);
  assert.equal(await linkedTo(on), undefined);
  const page = await browser.submit(question, {}, 'link');

  assert.match(page.html, /Linked\. You can sign in with it from now on\./);
  assert.match(page.html, /grace@hopper\.example/);
  assert.equal(await linkedTo(on), on.user.id);
});

test('[LOG-07] what was begun in one session is asked and linked in no other', async (t) => {
  const on = await begin(t);
  const mallory = await on.addUser({ username: 'mallory', password: 'correct horse battery staple' });
  const browser = await on.signedIn();
  const there = await on.leave(browser, await browser.open('/account/security'));
  const later = await on.leave(browser, await browser.open('/account/security'));
  const question = await browser.open(on.acme.agree(there));
  await signInOn(browser, await browser.open('/login?switch=new'), 'mallory');

  assert.equal((await browser.open(on.acme.agree(later))).status, 400);
  assert.equal((await browser.open(question.url)).status, 400);
  assert.equal((await browser.submit(question, {}, 'link')).status, 400);
  browser.cookies.delete(sessionCookie);
  assert.match((await browser.open(question.url)).title, /^(Sign in|Choose an account)/);
  assert.deepEqual([await linkedTo(on), (await on.store.listUpstreamIdentities(mallory.id)).length], [undefined, 0]);
});

test('[LOG-02] both forms work with their token, in their session, after a sign-in of lately', async (t) => {
  const on = await begin(t);
  await on.linked();
  const browser = await on.signedIn();
  const page = await browser.open('/account/security');
  const stranger = on.browser();
  await stranger.open('/login');

  for (const path of ['link', 'unlink']) {
    const form = page.forms.find(({ action }) => action.endsWith(`/upstreams/${path}`));
    assert.ok(form);
    assert.equal(new URL((await stranger.submit({ ...page, forms: [form] })).url).pathname, '/login');
    const fields = form.fields.map((field) => (field.name === 'csrf' ? { ...field, value: 'x' } : field));
    assert.equal((await browser.submit({ ...page, forms: [{ ...form, fields }] })).status, 403);
  }
  on.clock.advance(3600);
  const stale = await browser.open('/account/security');
  assert.equal(
    stale.forms.some(({ action }) => action.includes('/upstreams/')),
    false,
  );
  const form = page.forms.filter(({ action }) => action.endsWith('/upstreams/unlink'));
  assert.match((await browser.submit({ ...page, forms: form })).title, /^Confirm it's you/);
  assert.equal(await linkedTo(on), on.user.id);
});

test('a link is ended, and the subject is a stranger from then on', async (t) => {
  const on = await begin(t);
  await on.linked();
  const browser = await on.signedIn();
  const page = await browser.submit(await browser.open('/account/security'), { link: linkIn((await browser.open('/account/security')).html) });

  assert.match(page.html, /Unlinked\. It no longer opens this account\./);
  assert.equal(await linkedTo(on), undefined);
  assert.match((await on.through(on.browser())).title, /^No account here yet/);
});

test('[LOG-07] the last way in stays', async (t) => {
  const on = await begin(t);
  const { id } = await on.addUser({ username: 'only' });
  await on.linked(id);
  on.acme.claims = { auth_time: on.clock.now() };
  const browser = on.browser();
  await on.through(browser);
  const page = await browser.open('/account/security');
  assert.match(page.html, /only way in/);
  assert.equal(
    page.forms.some(({ action }) => action.endsWith('/upstreams/unlink')),
    false,
  );

  await on.linked(id, 'subject-2');
  const two = await browser.open('/account/security');
  const [first = '', second = ''] = [...two.html.matchAll(/name="link" value="([^"]+)"/g)].map(([, value = '']) => value);
  await browser.submit(two, { link: first });
  const last = await browser.submit(two, { link: second });
  assert.match(last.html, /only way in/);
  assert.equal((await on.store.listUpstreamIdentities(id)).length, 1);
});

function linkIn(html: string): string {
  return /name="link" value="([^"]+)"/.exec(html)?.[1] ?? '';
}

test('[LOG-07] whoever signs in only where nothing can be confirmed is told what to do instead of asked for a password', async (t) => {
  const on = await begin(t);
  const browser = await on.signedIn();
  const event = auditEvent('upstream.linked', on.clock.now(), 'test', { userId: on.user.id });
  const google = { ...upstream, id: 'google', name: 'Google', recipe: 'google' as const, issuer: 'https://accounts.google.com' };
  await on.store.addUpstream(google, event);
  await on.store.linkUpstream(
    { ...atAcme, issuer: google.issuer, upstreamId: google.id, userId: on.user.id },
    auditEvent('upstream.linked', on.clock.now(), 'test'),
  );
  assert.ok((await browser.open('/login?reason=confirm&to=security')).forms.some(({ action }) => action === '/login'));
  const ways = { password: true, passkeys: true, upstreams: true, emailCode: true };
  await on.store.removePassword({ userId: on.user.id, ways }, auditEvent('user.password_removed', on.clock.now(), 'test', { userId: on.user.id }));

  const page = await browser.open('/login?reason=confirm&to=security');

  assert.match(page.html, /You sign in with Google, which cannot confirm here that it is you\./);
  assert.match(page.html, /within 5 minutes/);
  assert.match(page.html, /href="\/logout"/);
  assert.ok(!page.forms.some(({ action }) => action === '/login'));
});

test('ending a link is told by mail', async (t) => {
  const sent: OutgoingMail[] = [];
  const on = await stage({
    sendMail: async (mail) => {
      sent.push(mail);
      return 'sent';
    },
  });
  t.after(() => on.close());
  await on.linked();
  const browser = await on.signedIn();
  const page = await browser.open('/account/security');
  await handOver(on.context.mail);
  sent.length = 0;

  await browser.submit({ ...page, forms: page.forms.filter(({ action }) => action.endsWith('/upstreams/unlink')) });
  await handOver(on.context.mail);

  assert.deepEqual(
    sent.map(({ to, subject }) => [to, subject]),
    [[on.user.email, 'A way to sign in was removed at Auth-Agent']],
  );
});
