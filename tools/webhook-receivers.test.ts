/**
 * The receivers that docs/webhooks.md prints, in TypeScript and in Python, verify what the server signs and refuse everything else.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import type { Hono } from 'hono';
import { auditEvent } from '../server/src/audit/event.ts';
import { newWebhookSecret } from '../server/src/crypto/webhook-signature.ts';
import { headersOf, messageOf } from '../server/src/webhooks/message.ts';
import { type Document, documents } from './documents/read.ts';
import { writeSnippets } from './documents/snippets.ts';

const page = documents.find(({ path }) => path === 'docs/webhooks.md') as Document;
const secret = newWebhookSecret();

type Case = { name: string; headers: Record<string, string>; body: string; taken: boolean };

/** What is sent, and whether a receiver takes it. Made when it is sent: receivers look at the clock. */
function cases(): Case[] {
  const now = Math.floor(Date.now() / 1000);
  const message = messageOf(auditEvent('code.replayed', now, 'system', { detail: { text: 'ö “quoted”' } }), 'https://auth.example.com');
  const headers = headersOf(message, [secret], now);
  const signature = headers['webhook-signature'] ?? '';
  return [
    { name: 'as it was signed', headers, body: message.body, taken: true },
    {
      name: 'beside a signature under another secret',
      headers: { ...headers, 'webhook-signature': `v1,AAAA v1a,xyz ${signature}` },
      body: message.body,
      taken: true,
    },
    {
      name: 'while its secret is changed, and it has the older',
      headers: headersOf(message, [newWebhookSecret(), secret], now),
      body: message.body,
      taken: true,
    },
    {
      name: 'while its secret is changed, and it has the newer',
      headers: headersOf(message, [secret, newWebhookSecret()], now),
      body: message.body,
      taken: true,
    },
    { name: 'under two other secrets', headers: headersOf(message, [newWebhookSecret(), newWebhookSecret()], now), body: message.body, taken: false },
    { name: 'with another body', headers, body: message.body.replace('replayed', 'relayed'), taken: false },
    { name: 'with another id', headers: { ...headers, 'webhook-id': 'evt_other' }, body: message.body, taken: false },
    { name: 'under another secret', headers: headersOf(message, [newWebhookSecret()], now), body: message.body, taken: false },
    { name: 'six minutes late', headers: headersOf(message, [secret], now - 360), body: message.body, taken: false },
    { name: 'at a time of five thousand digits', headers: { ...headers, 'webhook-timestamp': '9'.repeat(5000) }, body: message.body, taken: false },
    { name: 'as another version', headers: { ...headers, 'webhook-signature': signature.replace('v1,', 'v2,') }, body: message.body, taken: false },
    { name: 'without a signature', headers: { 'webhook-id': message.id, 'webhook-timestamp': String(now) }, body: message.body, taken: false },
    { name: 'without anything', headers: {}, body: '', taken: false },
  ];
}

test('[OPS-06] the receiver in TypeScript takes what is signed and nothing else', async () => {
  const { folder, snippets } = writeSnippets([page]);
  process.env.WEBHOOK_SECRET = secret;
  const module = snippets[0]?.modules[0] ?? '';
  await import(module);
  const { app } = (await import(module.replace(/[^/]+$/, 'prelude.ts'))) as { app: Hono };

  for (const { name, headers: sent, body, taken } of cases()) {
    const { status } = await app.request('/hooks/auth', { method: 'POST', headers: sent, body });
    assert.equal(status, taken ? 204 : 401, name);
  }
  delete process.env.WEBHOOK_SECRET;
  rmSync(folder, { recursive: true });
});

test('[OPS-06] the receiver in Python takes what is signed and nothing else', (t) => {
  const missing = spawnSync('python3', ['--version']).status !== 0;
  if (missing && process.env.CI !== 'true') return t.skip('python3 is not installed');
  const code = page.blocks.find(({ language }) => language === 'python')?.text ?? '';
  const sent = cases();
  const asked = JSON.stringify({ secret, cases: sent.map(({ headers, body }) => [headers, body]) });
  const program = `${code}
import json, sys
asked = json.loads(sys.argv[1])
print(json.dumps([verify_webhook(asked["secret"], headers, body.encode()) for headers, body in asked["cases"]]))`;
  const { status, stdout, stderr } = spawnSync('python3', ['-', asked], { input: program, encoding: 'utf8' });

  assert.equal(status, 0, stderr);
  assert.deepEqual(
    JSON.parse(stdout),
    sent.map(({ taken }) => taken),
  );
});
