/**
 * People who may not use a server ask for access: one question at a time, in plain text, answered once, and told to both sides.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerAccess } from '../../src/account/access-answers.ts';
import { auditEvent } from '../../src/audit/event.ts';
import type { OutgoingMail } from '../../src/options.ts';
import type { Browser } from '../browser.ts';
import { handOver } from '../queue-mail.ts';
import { password, type Stage, stage } from './authorize-stage.ts';

const DAY = 86_400;

async function listed() {
  const sent: OutgoingMail[] = [];
  const on = await stage({
    sendMail: async (mail) => {
      sent.push(mail);
      return 'sent';
    },
  });
  const { people: _, ...server } = on.mcp;
  await on.store.updateServer({ ...server, people: 'listed' }, auditEvent('server.updated', on.clock.now(), 'test'));
  const mails = async () => {
    await handOver(on.context.mail);
    return sent.splice(0);
  };
  const bea = await on.addUser({ username: 'bea', name: 'Bea', password });
  const signedIn = async () => {
    const browser = on.browser();
    await browser.submit(await browser.open('/login'), { username: 'bea', password });
    return browser;
  };
  return { ...on, owner: on.user, user: bea, signedIn, mails };
}
type Listed = Awaited<ReturnType<typeof listed>>;

async function refusedPage(on: Listed, browser: Browser) {
  const refused = await browser.open(on.url());
  const link = /href="([^"]*\/account\/ask\?server=[^"]+)"/.exec(refused.html)?.[1] ?? assert.fail('the refusal names no way to ask');
  return browser.open(link);
}

const openOnes = (on: Stage) => on.store.listAccessRequests({ limit: 10 }, on.clock.now());

test('[AZ-37] whoever is refused asks, the owner is told what they wrote and how to decide, and yes lets the person in', async () => {
  const on = await listed();
  const browser = await on.signedIn();
  await on.mails();

  const asked = await browser.submit(await refusedPage(on, browser), { message: 'For the\n\tquarterly <b>report</b>, see http://evil.example/x ' });

  assert.match(asked.html, /You asked on/);
  const [question = assert.fail(), ...more] = await openOnes(on);
  assert.deepEqual([question.message, question.username, more], ['For the quarterly <b>report</b>, see http://evil.example/x', on.user.username, []]);
  const [toOwner = assert.fail(), ...others] = await on.mails();
  assert.deepEqual([toOwner.to, others], [on.owner.email, []]);
  assert.ok(toOwner.text.includes(`auth-agent requests approve ${question.id}`));
  assert.ok(!/https?:\/\/evil/.test(toOwner.text) && !toOwner.html.includes('<b>report'));

  assert.equal(await answerAccess(question, 'approved', on.context), true);
  assert.equal(await answerAccess(question, 'denied', on.context), false);
  const [toPerson = assert.fail()] = await on.mails();
  assert.deepEqual([toPerson.to, toPerson.subject], [on.user.email, 'You may now use My File Server']);
  assert.match((await browser.open(asked.url)).html, /You may use .*My File Server.* now\. Go back to your agent/);
  assert.match((await browser.open(on.url())).title, /^Allow Claude Code/);
  const events = (await on.store.listEvents({ userId: on.user.id, limit: 20 })).map(({ type }) => type);
  assert.ok(events.includes('access.requested') && events.includes('access.approved'));
  await on.close();
});

test('[AZ-37] after a no the person reads so, may ask again after thirty days, and shares nothing meanwhile', async () => {
  const on = await listed();
  const browser = await on.signedIn();
  const asked = await browser.submit(await refusedPage(on, browser), { message: '' });
  const [question = assert.fail()] = await openOnes(on);
  await on.mails();

  await answerAccess(question, 'denied', on.context);

  assert.equal((await on.mails())[0]?.subject, 'No access to My File Server');
  const told = await browser.open(asked.url);
  assert.match(told.html, /They said no on/);
  assert.ok(!told.html.includes('<textarea'));
  assert.match((await browser.open(on.url())).html, /give this access/);
  on.clock.advance(30 * DAY);
  assert.ok((await (await on.signedIn()).open(asked.url)).html.includes('<textarea'));
  await on.close();
});

test('a second question changes nothing, one that is too long is refused, and many are limited', async () => {
  const on = await listed();
  const browser = await on.signedIn();
  const form = await refusedPage(on, browser);
  const long = await browser.submit(form, { message: 'x'.repeat(501) });
  assert.deepEqual([long.status, await openOnes(on)], [400, []]);
  assert.match(long.html, /at most 500 characters/);

  await browser.submit(form, { message: 'first' });
  for (let again = 0; again < 4; again++) await browser.submit(form, { message: 'second' });
  const limited = await browser.submit(form, { message: 'third' });

  assert.equal(limited.status, 429);
  assert.deepEqual(
    (await openOnes(on)).map(({ message }) => message),
    ['first'],
  );
  assert.equal((await on.mails()).filter(({ subject }) => /asks to use/.test(subject)).length, 1);
  await on.close();
});

test('[LOG-02] the form counts for the person and browser it was made for, and only where a list is kept', async () => {
  const on = await listed();
  const browser = await on.signedIn();
  const form = await refusedPage(on, browser);
  const eve = on.browser();
  await on.addUser({ username: 'eve', password });
  await eve.submit(await eve.open('/login'), { username: 'eve', password });

  assert.equal((await eve.submit(form, { message: 'as ada' })).status, 403);
  assert.deepEqual(await openOnes(on), []);
  for (const server of ['srv_none', '', 'x'.repeat(3000)]) assert.match((await browser.open(`/account/ask?server=${server}`)).url, /\/account\/agents$/);
  assert.match((await on.browser().open('/account/ask?server=srv_x')).url, /\/login$/);
  await on.close();
});
