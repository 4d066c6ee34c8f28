import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MailNotSent } from '../mail/mail-not-sent.ts';
import { type EmailBinding, emailBindingSender } from './email-binding.ts';

const mail = { to: 'ada@example.com', senderName: 'Acme', subject: 'Größe', text: 'Hello', html: '<p>Hello</p>', messageId: '<ml_1@auth.example.com>' };
const failing = (error: unknown): EmailBinding => ({ send: () => Promise.reject(error) });
const withCode = (code: unknown) => Object.assign(new Error('ada@example.com is not wanted'), { code });

test('a mail is handed over whole, from the service or by the name in mailFrom', async () => {
  const sent: unknown[] = [];
  const binding: EmailBinding = { send: async (one) => sent.push(one) };

  assert.equal(await emailBindingSender(binding, 'auth@example.com')(mail), 'sent');
  assert.equal(await emailBindingSender(binding, 'Example <auth@example.com>')(mail), 'sent');

  const { to, subject, text, html } = mail;
  const headers = { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' };
  assert.deepEqual(sent, [
    { from: { email: 'auth@example.com', name: 'Acme' }, to, subject, text, html, headers },
    { from: { email: 'auth@example.com', name: 'Example' }, to, subject, text, html, headers },
  ]);
});

test('a recipient that is refused for good is told apart from what may pass, and no log gets an address', async () => {
  assert.equal(await emailBindingSender(failing(withCode('E_RECIPIENT_SUPPRESSED')), 'auth@example.com')(mail), 'refused');
  for (const [code, told] of [
    ['E_DAILY_LIMIT_EXCEEDED', 'E_DAILY_LIMIT_EXCEEDED'],
    ['E_RECIPIENT_NOT_ALLOWED', 'E_RECIPIENT_NOT_ALLOWED'],
    ['ada@example.com', 'the e-mail binding failed'],
    [undefined, 'the e-mail binding failed'],
  ]) {
    const error = await emailBindingSender(failing(withCode(code)), 'auth@example.com')(mail).catch((one: unknown) => one);
    assert.ok(error instanceof MailNotSent);
    assert.equal(error.message, told);
  }
  assert.throws(() => emailBindingSender(failing(undefined), 'nobody'), /"mailFrom" must be/);
});
