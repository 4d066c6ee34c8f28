/**
 * Another e-mail address: proven by a link to it, told to the old one, and nobody learns whose an address is.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeResetLink } from '../../src/account/operator-links.ts';
import type { OutgoingMail } from '../../src/options.ts';
import { textOf } from '../browser.ts';
import { issuer } from '../harness.ts';
import { handOver } from '../queue-mail.ts';
import { password, stage } from './authorize-stage.ts';

async function mailing() {
  const sent: OutgoingMail[] = [];
  const on = await stage({
    sendMail: async (mail) => {
      sent.push(mail);
      return 'sent';
    },
  });
  const mails = async () => {
    await handOver(on.context.mail);
    return sent.splice(0);
  };
  const emailOf = async () => (await on.store.findUser(on.user.id))?.email;
  return { ...on, mails, emailOf };
}
type On = Awaited<ReturnType<typeof mailing>>;

const linkIn = (mail: OutgoingMail | undefined) => /https:\/\/\S+\/account\/email\/confirm\?token=\S+/.exec(mail?.text ?? '')?.[0] ?? assert.fail(mail?.text);

async function asked(on: On, email: string) {
  const browser = await on.signedIn();
  await on.mails();
  const answer = await browser.submit(await browser.open('/account/email'), { email });
  const [mail, ...more] = await on.mails();
  return { browser, answer, mail, more };
}

test('the link to the new address changes it once, and the old address is told', async () => {
  const on = await mailing();
  const { browser, answer, mail, more } = await asked(on, 'ada@new.example');
  assert.match(answer.html, /a link is on its way/);
  assert.deepEqual([mail?.to, more, await on.emailOf()], ['ada@new.example', [], on.user.email]);
  const reset = await makeResetLink((await on.store.findUser(on.user.id)) ?? assert.fail(), on.context);
  await on.mails();

  const question = await browser.open(linkIn(mail));
  assert.ok(question.html.includes('ada@new.example') && question.html.includes(on.user.username));
  assert.equal(await on.emailOf(), on.user.email);
  const done = await browser.submit(question);

  assert.match(done.html, /Your e-mail address is changed/);
  assert.equal(await on.emailOf(), 'ada@new.example');
  const [notice = assert.fail(), ...others] = await on.mails();
  assert.deepEqual([notice.to, notice.subject, others], [on.user.email, 'Your e-mail address at Auth-Agent was changed', []]);
  assert.ok(!notice.text.includes('new.example'));
  assert.match(notice.text, /they can give your account this address back/);
  // Nobody is signed out: whoever changed it had just shown who they are.
  assert.equal((await browser.open('/account/profile')).status, 200);
  assert.equal((await on.browser().open(linkIn(mail))).status, 400);
  // What was sent to the old mailbox opens nothing any more.
  assert.equal((await on.browser().open(reset)).status, 400);
  const events = (await on.store.listEvents({ userId: on.user.id, limit: 20 })).map(({ type }) => type);
  assert.ok(events.includes('user.email_change_asked') && events.includes('user.email_changed'));
  await on.close();
});

test('[LOG-05] for an address or name of somebody else the answer is the same, and its link changes nothing', async () => {
  const on = await mailing();
  await on.addUser({ username: 'bob', email: 'bob@example.com', password });
  const free = await asked(on, 'nobody@example.com');
  const taken = await asked(on, 'BOB@example.com');
  const words = (html: string) => html.replace(/value="[^"]*"|req_\w+/g, '');
  assert.equal(words(taken.answer.html), words(free.answer.html));

  const refused = await taken.browser.submit(await taken.browser.open(linkIn(taken.mail)));

  assert.equal(refused.status, 400);
  assert.match(refused.html, /This link no longer works/);
  assert.equal(await on.emailOf(), on.user.email);
  await on.close();
});

test('whoever reads a mistyped mailbox has no use for the link, and does not learn whose account asked', async () => {
  const on = await mailing();
  const { browser, mail } = await asked(on, 'typo@new.example');
  const question = await browser.open(linkIn(mail));
  await on.addUser({ username: 'eve', password });
  const eve = on.browser();
  await eve.submit(await eve.open('/login'), { username: 'eve', password });
  await on.mails();

  for (const stranger of [on.browser(), eve]) {
    const { status, html } = await stranger.open(linkIn(mail));
    assert.equal(status, 200);
    assert.ok(html.includes('Sign in first') && !html.includes(on.user.username) && !html.includes('name="token"'));
  }
  await browser.submit(await browser.open('/logout'));
  assert.equal((await browser.submit(question)).status, 403);

  assert.equal(await on.emailOf(), on.user.email);
  assert.deepEqual(await on.mails(), []);
  await on.close();
});

test('only the newest link works, for an hour', async () => {
  const on = await mailing();
  const first = await asked(on, 'one@new.example');
  const second = await asked(on, 'two@new.example');
  assert.equal((await on.browser().open(linkIn(first.mail))).status, 400);
  assert.equal((await second.browser.open(linkIn(second.mail))).status, 200);
  on.clock.advance(3600);
  assert.equal((await on.browser().open(linkIn(second.mail))).status, 400);
  await on.close();
});

test('[LOG-02] asking needs a recent sign-in, an address, and the form of this session', async () => {
  const on = await mailing();
  const browser = await on.signedIn();
  const form = await browser.open('/account/email');
  await on.mails();
  for (const email of ['', 'x', 'a@b@c', 'a b@c.example', 'a@b,c@d']) assert.equal((await browser.submit(form, { email })).status, 400, email);
  on.clock.advance(301);
  assert.match((await browser.submit(form, { email: 'late@new.example' })).url, /\/login\?reason=confirm&to=profile/);
  assert.match((await browser.open('/account/email')).url, /\/login\?reason=confirm&to=profile/);
  assert.match((await on.browser().open('/account/email')).url, /\/login\?to=profile/);
  const eve = on.browser();
  await on.addUser({ username: 'eve', password });
  await eve.submit(await eve.open('/login'), { username: 'eve', password });
  assert.equal((await eve.submit(form, { email: 'eve@new.example' })).status, 403);
  for (const token of ['', '?token=', '?token=ol_x', `?token=${'x'.repeat(3000)}`])
    assert.equal((await eve.open(`/account/email/confirm${token}`)).status, 400);
  assert.deepEqual(await on.mails(), []);
  await on.close();
});

test('without mail the page names what an operator runs', async () => {
  const on = await stage();
  const browser = await on.signedIn();

  const shown = await browser.open('/account/email');

  assert.ok(textOf(shown).includes('auth-agent users set-email ada') && !shown.html.includes('<form method="post" action="/account/email"'));
  assert.ok((await browser.open('/account/profile')).html.includes(`href="/account/email"`), issuer);
  await on.close();
});
