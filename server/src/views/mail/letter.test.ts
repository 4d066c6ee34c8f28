import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mailKinds } from '../../mail/kinds.ts';
import type { ClientView } from '../client-identity.ts';
import { wordsFor } from '../words.ts';
import { accessAnsweredMail, accessAskedMail } from './access-mail.ts';
import { keyExpiringMail } from './key-mail.ts';
import { type MailFrame, writeLetter } from './letter.ts';
import { type AgentNotice, type AgentNoticeValues, accountNotice, agentNotice } from './notice.ts';

const mail: MailFrame = { ...wordsFor('en'), serviceName: 'Auth-Agent', issuer: 'https://auth.example.com/t/acme', contact: 'help@example.com' };
const claude: ClientView = { name: 'Claude Code', tier: 'document', host: 'claude.ai' };
const values: AgentNoticeValues = { at: 1_800_000_000, address: '203.0.113.7', client: claude, server: 'My File Server', path: '/account/agents' };
const write = (notice: AgentNotice, ...all: [AgentNoticeValues, ...AgentNoticeValues[]]) => writeLetter(mail, agentNotice(notice)(mail, all));
const dotted = (text: string) => text.replaceAll('\u2024', '.');

test('a notice says who, where, when and what to do, in both parts', () => {
  const { subject, text, html } = write('agent-connected', { ...values, userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' });

  assert.equal(dotted(subject), '“Claude Code” (claude.ai) can now act for you');
  for (const part of [text, html])
    for (const said of [
      'My File Server',
      'January 15, 2027',
      'UTC',
      'Firefox on Linux',
      '203.0.113.7',
      'https://auth.example.com/t/acme/account/agents',
      'help@example.com',
    ])
      assert.ok(part.includes(said), said);
});

test('agents that were connected together are told in one mail', () => {
  const { subject, text } = write('agent-connected', values, { ...values, client: { name: 'Cursor', tier: 'dynamic' }, server: 'Notes' });

  assert.equal(subject, '2 agents can now act for you');
  assert.match(dotted(text), /- “Claude Code” \(claude\.ai\) on My File Server, .*\n- “Cursor” \(unverified\) on Notes, /);
});

test('a hostile name is text: no markup, no line break, no hidden letter, no address that a mail program would make a link of', () => {
  const name = '</p><a href="https://evil.example">x</a>\r\nBcc: eve@evil.example\u202Egpj.exe www.evil.example';
  for (const tier of ['document', 'dynamic', 'approved'] as const) {
    const { subject, text, html } = write('more-access', { ...values, client: { name, tier, host: 'evil.example' }, server: name });

    assert.doesNotMatch(subject, /[\r\n\u202E]|:\/\/|evil\.example|@/);
    assert.doesNotMatch(text, /\u202E|evil\.example|eve@|^Bcc/m);
    assert.doesNotMatch(html, /evil\.example|<a href="https:\/\/evil|\u202E/);
  }
});

test('whatever a name is made of, every letter can be written and its only links are of this server', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), fc.string({ unit: 'grapheme', maxLength: 200 }), (name, server) => {
      const client: ClientView = { name, tier: 'dynamic' };
      const { subject, text, html } = write('agent-connected', { ...values, client, server });
      assert.doesNotMatch(subject, /[\p{Cc}]/u);
      assert.deepEqual([...text.matchAll(/https?:\/\/\S+/g)].map(String), ['https://auth.example.com/t/acme/account/agents']);
      assert.deepEqual(
        [...html.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, href]) => href),
        ['https://auth.example.com/t/acme/account/agents'],
      );
    }),
  );
});

test('a link that would leave the server is never written', () => {
  for (const path of ['', 'account', '.evil.example/', '@evil.example/', ':1234/'])
    assert.throws(() => writeLetter(mail, { subject: 's', blocks: [{ link: 'l', path }] }), TypeError, path);
  const bare = { ...mail, issuer: 'https://auth.example.com' };
  for (const path of ['@evil.example/', '.evil.example/', ':1234/'])
    assert.throws(() => writeLetter(bare, { subject: 's', blocks: [{ link: 'l', path }] }), TypeError, path);
});

test('a command that a mail names can be run as it stands, in a tenant as at the root', () => {
  const asked = { id: 'ask_1', server: 'Files', person: 'Ada', message: '' };
  const textOf = (tenant?: string) => writeLetter({ ...mail, tenant }, accessAskedMail({ ...mail, tenant }, [asked])).text;

  assert.match(textOf(), /^- auth-agent requests approve ask_1\n- auth-agent requests deny ask_1$/m);
  assert.match(textOf('acme'), /^- auth-agent requests approve ask_1 --tenant acme\n- auth-agent requests deny ask_1 --tenant acme$/m);
});

test('every kind of notice has its words', () => {
  const asked = { id: 'arq_1', server: 'Files', person: 'Ada', email: 'ada@example.com', message: 'I need it' };
  const key = { key: 'sk_1', name: 'laptop', serverId: 'srv_1', server: 'Files', expiresAt: 1_800_000_000 };
  const letters = {
    'access-asked': () => accessAskedMail(mail, [asked]),
    'access-approved': () => accessAnsweredMail('approved')(mail, [asked]),
    'access-denied': () => accessAnsweredMail('denied')(mail, [asked]),
    'key-expiring': () => keyExpiringMail(mail, [key]),
  };
  for (const [kind, row] of Object.entries(mailKinds)) {
    // Codes and links are worth sending for an hour at most; their letters are proven where they are written.
    if (row.lifetimeSeconds <= 3600) continue;
    const letter = letters[kind as keyof typeof letters]?.() ?? ('gathersSeconds' in row ? agentNotice : accountNotice)(kind as never)(mail, [values]);
    const { subject, text } = writeLetter(mail, letter);
    assert.ok(subject.length > 10 && text.length > 100, kind);
  }
});

test('where nobody has a password no notice speaks of changing one, in any language', () => {
  const word = /passw|mot de passe|contraseña|senha|パスワード|密码|كلمة المرور/i;
  for (const language of ['en', 'de', 'fr', 'es', 'pt-BR', 'ja', 'zh-Hans', 'ar']) {
    const textOf = (passwordless: boolean) => {
      const frame: MailFrame = { ...mail, ...wordsFor(language), passwordless };
      return writeLetter(frame, accountNotice('new-device')(frame, [values])).text;
    };
    assert.match(textOf(false), word, language);
    assert.doesNotMatch(textOf(true), word, language);
  }
});
