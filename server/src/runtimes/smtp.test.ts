import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { after, test } from 'node:test';
import { type MailServer, mailServer, type Refusals } from '../../test/mail-server.ts';
import { selfSigned } from '../../test/self-signed.ts';
import { MailNotSent } from '../mail/mail-not-sent.ts';
import type { MailSender, OutgoingMail } from '../options.ts';
import { type SmtpSettings, smtpSender } from './smtp.ts';

const mail: OutgoingMail = {
  to: 'ada@example.com',
  senderName: 'Auth-Agent',
  subject: 'Größe: 你好',
  text: 'Hello,\n.\nwörld\n',
  html: '<p>Hello, <b>wörld</b></p>',
  messageId: '<ml_1@auth.example.com>',
};
const open: { close(): unknown }[] = [];
after(async () => {
  for (const one of open.reverse()) await one.close();
});

async function start(options: Parameters<typeof mailServer>[0] = {}, refuse: Refusals = {}): Promise<MailServer> {
  const server = await mailServer(options, refuse);
  open.push(server);
  return server;
}
function senderTo(port: number, settings: Partial<SmtpSettings> = {}): MailSender {
  const sender = smtpSender({ url: `smtp://127.0.0.1:${port}`, from: 'auth@example.com', timeoutMs: 5000, ...settings });
  open.push({ close: () => sender.close?.() });
  return sender;
}
const notSent = (why: RegExp) => (error: unknown) => error instanceof MailNotSent && why.test(error.message) && !/example\.com|secret/.test(error.message);

test('a mail arrives with both parts, its Message-ID, and marked as written by a machine', async () => {
  const server = await start();

  assert.equal(await senderTo(server.port)(mail), 'sent');

  const [{ from, to, email, raw } = assert.fail()] = server.received;
  assert.deepEqual([from, to], ['auth@example.com', ['ada@example.com']]);
  assert.deepEqual([email.subject, email.text?.replaceAll('\r', '').trim(), email.html?.trim()], [mail.subject, mail.text.trim(), mail.html]);
  assert.deepEqual(email.from, { name: 'Auth-Agent', address: 'auth@example.com' });
  assert.equal(email.messageId, mail.messageId);
  assert.match(raw, /^Auto-Submitted: auto-generated\r$/im);
});

test('nothing that is put into a field becomes a header or a recipient', async () => {
  const server = await start();
  const hostile = 'x\r\nBcc: eve@evil.example\r\n\r\nbody';

  await senderTo(server.port)({ ...mail, subject: hostile, senderName: `"${hostile}" <eve@evil.example>,` });

  const [{ to, email, raw } = assert.fail()] = server.received;
  assert.deepEqual(to, ['ada@example.com']);
  assert.deepEqual([email.bcc, email.from?.address, email.to?.map(({ address }) => address)], [undefined, 'auth@example.com', ['ada@example.com']]);
  assert.doesNotMatch(raw.split('\r\n\r\n')[0] ?? '', /^(bcc|body)/im);
});

test('a recipient or a mail that is refused for good is told apart from what may pass', async () => {
  for (const refuse of [{ rcpt: 550 }, { data: 554 }]) assert.equal(await senderTo((await start({}, refuse)).port)(mail), 'refused');
  for (const [refuse, why] of [
    [{ rcpt: 450 }, /450/],
    [{ data: 451 }, /451/],
    [{ mail: 550 }, /550/],
    [{ connect: 421 }, /421/],
  ] as const)
    await assert.rejects(senderTo((await start({}, refuse)).port)(mail), notSent(why));
});

test('a password that is not accepted is an operator’s matter, and stays out of the error', async () => {
  const server = await start({
    authOptional: false,
    allowInsecureAuth: true,
    onAuth: ({ password }, _, done) => done(password === 'p@ss' ? null : new Error('no'), { user: 'a' }),
  });
  const url = (secret: string) => `smtp://robot%40example.com:${secret}@127.0.0.1:${server.port}`;

  await assert.rejects(senderTo(server.port, { url: url('secret') })(mail), notSent(/^EAUTH .*535$/));
  assert.equal(await senderTo(server.port, { url: url('p%40ss') })(mail), 'sent');
});

test('off loopback nothing leaves without a TLS that can be trusted', async () => {
  // 127.0.0.2 reaches this machine without being one of the names of loopback.
  const host = '127.0.0.2';
  const tls = selfSigned([host]);
  const plain = await start({ host });
  const starttls = await start({ host, ...tls });
  const smtps = await start({ host, ...tls, secure: true });
  const stranger = selfSigned(['mail.example']);
  const wrongName = await start({ host, ...stranger });
  const url = ({ port }: MailServer, scheme = 'smtp') => `${scheme}://${host}:${port}`;

  await assert.rejects(senderTo(0, { url: url(plain) })(mail), notSent(/STARTTLS|ETLS/));
  await assert.rejects(senderTo(0, { url: url(plain, 'smtps') })(mail), notSent(/ETLS/));
  await assert.rejects(senderTo(0, { url: 'smtps://127.0.0.2:1' })(mail), notSent(/ESOCKET/));
  await assert.rejects(senderTo(0, { url: url(starttls) })(mail), notSent(/ETLS/));
  await assert.rejects(senderTo(0, { url: url(smtps, 'smtps') })(mail), notSent(/ETLS/));
  await assert.rejects(senderTo(0, { url: url(wrongName), ca: stranger.cert })(mail), notSent(/ETLS/));
  assert.deepEqual(
    [plain, starttls, smtps, wrongName].flatMap(({ received }) => received),
    [],
  );

  assert.equal(await senderTo(0, { url: url(starttls), ca: tls.cert })(mail), 'sent');
  assert.equal(await senderTo(0, { url: url(smtps, 'smtps'), ca: tls.cert })(mail), 'sent');
  assert.deepEqual(
    [...starttls.received, ...smtps.received].map(({ secure }) => secure),
    [true, true],
  );
  assert.equal(await senderTo(0, { url: url(plain), dangerouslyPlain: true })(mail), 'sent');
});

test('a server that says nothing, or too little, does not hold a mail for longer than its time', async () => {
  const silent = createServer(() => undefined);
  const trickling = createServer((socket) => {
    const timer = setInterval(() => socket.write('220-wait\r\n'), 20);
    socket.on('close', () => clearInterval(timer)).on('error', () => undefined);
  });
  for (const server of [silent, trickling]) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    open.push(server);
    const { port } = server.address() as { port: number };

    await assert.rejects(senderTo(port, { timeoutMs: 150 })(mail), notSent(/ETIMEDOUT|AbortError|ABORT|ECONNECTION/));
  }
});

test('a server that is gone and comes back gets the next mail', async () => {
  const first = await mailServer();
  const sender = senderTo(first.port);
  assert.equal(await sender(mail), 'sent');
  await first.close();
  await assert.rejects(sender(mail), notSent(/ECONN|ESOCKET/));

  const second = await start({ port: first.port });
  assert.equal(await sender(mail), 'sent');
  assert.deepEqual([first.received.length, second.received.length], [1, 1]);
});

test('settings that cannot be right are refused before anything is sent, without repeating them', () => {
  for (const url of [
    'mail.example',
    'smtp://user:50%off@mail.example',
    'smtp://us%er:x@mail.example',
    'http://mail.example',
    'smtp://',
    'smtp://mail.example/?tls=no',
    'smtp://mail.example/path',
  ])
    assert.throws(() => smtpSender({ url, from: 'auth@example.com' }), { name: 'TypeError', message: /^"smtpUrl" must be/ });
  for (const from of ['', 'auth', 'a@b.example, c@d.example', 'Eve <a@b.example> <c@d.example>', 'x\r\nBcc: a@b.example'])
    assert.throws(() => smtpSender({ url: 'smtp://mail.example', from }), { name: 'TypeError', message: /^"mailFrom" must be/ });
  assert.doesNotThrow(() => smtpSender({ url: 'smtp://mail.example', from: 'Example & Söhne <auth@example.com>' }));
});
