/**
 * The outbox over a real SMTP server: nothing is lost, nothing is sent twice, nothing is sent for what did not happen.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { auditEvent } from '../../src/audit/event.ts';
import { MailNotSent } from '../../src/mail/mail-not-sent.ts';
import type { MailSender, OutgoingMail } from '../../src/options.ts';
import { smtpSender } from '../../src/runtimes/smtp.ts';
import { openNodeSqlite } from '../../src/storage/drivers/node-sqlite.ts';
import { testServer } from '../harness.ts';
import { mailServer } from '../mail-server.ts';
import { handOver, queueMail } from '../queue-mail.ts';

const open: { close(): unknown }[] = [];
after(async () => {
  for (const one of open.reverse()) await one.close();
});

/** A sender that does as it is told, and a server with it. */
async function stage(answers: ('sent' | 'refused' | 'later')[] = [], options: Parameters<typeof testServer>[0] = {}) {
  const sent: OutgoingMail[] = [];
  const sendMail: MailSender = async (mail) => {
    const answer = answers.shift() ?? 'sent';
    if (answer === 'later') throw new MailNotSent('EENVELOPE RCPT TO 450');
    sent.push(mail);
    return answer;
  };
  const one = await testServer({ sendMail, ...options });
  open.push(one);
  const queue = (to = 'ada@example.com', locale?: string) => queueMail(one.context, { to, kind: 'test', values: {}, locale });
  return { ...one, sent, queue, idle: () => one.context.mail.idle() };
}

test('a mail that is queued is sent at once, with words, links and a Message-ID of this server', async () => {
  const { queue, idle, sent, logged } = await stage();

  await queue();
  await idle();

  assert.deepEqual(
    sent.map(({ to, senderName, subject }) => ({ to, senderName, subject })),
    [{ to: 'ada@example.com', senderName: 'Auth-Agent', subject: 'Auth-Agent: mail works' }],
  );
  assert.match(sent[0]?.messageId ?? '', /^<ml_[\w-]{16}@auth\.example\.com>$/);
  assert.match(sent[0]?.text ?? '', /Sent by Auth-Agent at auth\.example\.com/);
  assert.ok(logged.some((line) => line.startsWith('info mail.sent {"kind":"test"')));
  assert.ok(!logged.some((line) => line.includes('ada@')));
});

test('what cannot be handed over is tried again, later and later, under the same Message-ID, and never after its time', async () => {
  const { queue, idle, sent, clock, server, store, logged } = await stage(['later', 'later', 'later']);
  await queue();
  await idle();

  for (let minute = 0; minute < 5; minute++) {
    clock.advance(60);
    await server.maintain();
  }
  assert.deepEqual(sent, []);
  clock.advance(9 * 60);
  await server.maintain();
  await server.maintain();
  assert.equal(sent.length, 1);
  assert.equal(logged.filter((line) => line.startsWith('warn mail.not_sent')).length, 3);
  assert.deepEqual(await store.claimMail(clock.now() + 3600, 10), []);
});

test('a mail that is refused, whose address is none, or that is too old is given up', async () => {
  const { queue, idle, sent, clock, server } = await stage(['refused', 'later']);
  await queue();
  await idle();
  await queue('ada@example.com, eve@evil.example');
  await idle();
  assert.equal(sent.length, 1);

  await queue();
  await idle();
  clock.advance(2 * 3600);
  await server.maintain();
  assert.equal(sent.length, 1);
});

test('mail that goes with an event is sent when the event was recorded, and not when it was not', async () => {
  const { addUser, context, store, sent, server, idle, clock } = await stage();
  const user = await addUser();
  const about = (type: 'user.disabled') => context.mail.with(auditEvent(type, clock.now(), 'cli'), { to: user.email as string, kind: 'test', values: {} });

  await store.setUserDisabled('usr_nobody', true, about('user.disabled'));
  await server.flush();
  await idle();
  assert.deepEqual(sent, []);

  await store.setUserDisabled(user.id, true, about('user.disabled'));
  await server.flush();
  await idle();
  assert.equal(sent.length, 1);
});

test('recipient and content are sealed in the database, and nobody opens a row as another', async () => {
  const { queue, idle, context, store, clock } = await stage(['later']);
  await queue();
  await idle();

  const [row] = await store.claimMail(clock.now() + 60, 10);
  assert.doesNotMatch(JSON.stringify(row), /ada/);
  assert.throws(() => context.instance.open('mail ml_other', row?.sealed ?? ''));
});

test('without a sender nothing is queued', async () => {
  const { context, queue, store, clock } = await stage([], { sendMail: undefined });
  await queue();
  const event = auditEvent('code.replayed', clock.now(), 'system');

  assert.equal(context.mail.on, false);
  assert.equal(context.mail.with(event, { to: 'a@b.example', kind: 'test', values: {} }), event);
  assert.deepEqual(await store.claimMail(clock.now(), 10), []);
});

test('over SMTP: a mail server that is down, refuses for now, or restarts loses no mail and gets none twice', async () => {
  const refuse: { rcpt?: number } = {};
  let mails = await mailServer({}, refuse);
  const { port } = mails;
  const arrived: string[] = [];
  const stop = async () => {
    await mails.close();
    arrived.push(...mails.received.map(({ email }) => String(email.to?.[0]?.address)));
  };
  const sendMail = smtpSender({ url: `smtp://127.0.0.1:${port}`, from: 'auth@example.com', timeoutMs: 2000 });
  const { queue, idle, clock, server } = await stage([], { sendMail });
  const people = Array.from({ length: 12 }, (_, index) => `p${index}@example.com`);

  await Promise.all(people.slice(0, 4).map((to) => queue(to)));
  await idle();
  refuse.rcpt = 451;
  await Promise.all(people.slice(4, 8).map((to) => queue(to)));
  await idle();
  await stop();
  await Promise.all(people.slice(8).map((to) => queue(to)));
  await idle();
  delete refuse.rcpt;
  mails = await mailServer({ port }, refuse);
  for (let minute = 0; minute < 8; minute++) {
    clock.advance(60);
    await server.maintain();
  }
  await stop();
  sendMail.close?.();

  assert.deepEqual(arrived.toSorted(), people.toSorted());
});

test('two nodes on one database send each mail once', async () => {
  const sent: string[] = [];
  const sendMail: MailSender = async ({ to }) => {
    await new Promise((resolve) => setImmediate(resolve));
    sent.push(to);
    return 'sent';
  };
  const driver = openNodeSqlite(':memory:');
  const one = await testServer({ sendMail, driver });
  const two = await testServer({ sendMail, driver });
  open.push(one);
  const people = Array.from({ length: 20 }, (_, index) => `p${index}@example.com`);

  await Promise.all(people.map((to, index) => queueMail((index % 2 ? one : two).context, { to, kind: 'test', values: {} })));
  await Promise.all([one.context.mail.idle(), two.context.mail.idle()]);
  await Promise.all([handOver(one.context.mail), handOver(two.context.mail)]);

  assert.deepEqual(sent.toSorted(), people.toSorted());
});
