import assert from 'node:assert/strict';
import { test } from 'node:test';
import { languages } from '../languages.ts';
import type { PageFrame } from './layout.ts';
import { signInPage } from './sign-in-page.ts';
import { wordsFor } from './words.ts';

const page: PageFrame = { ...wordsFor('en'), serviceName: 'ACME', host: 'auth.example.com', requestId: 'req_1', base: '' };

test('the form is one that password managers know', () => {
  const html = signInPage(page, { tx: 'tx_1', csrf: 'c' });

  assert.match(html, /id="username" name="username"[^>]* autocomplete="username webauthn"/);
  assert.match(html, /id="password" name="password" type="password"[^>]* autocomplete="current-password"/);
  assert.match(html, /<input type="hidden" name="tx" value="tx_1">/);
  assert.match(html, /You are on <strong>auth\.example\.com<\/strong>/);
});

test('[LOG-05] a wrong password says one sentence, keeps the name, never a password, and takes the focus to the summary', () => {
  const html = signInPage(page, { csrf: 'c', username: 'ada', error: 'wrong-credentials' });

  assert.equal(html.match(/That e-mail and password don&#39;t match\./g)?.length, 1);
  assert.match(html, /role="alert" tabindex="-1" autofocus/);
  assert.equal(html.match(/aria-invalid="true"/g)?.length, 2);
  assert.match(html, /name="username"[^>]* value="ada"/);
  assert.doesNotMatch(html, /name="password"[^>]* value=/);
  assert.equal(html.match(/autofocus/g)?.length, 1);
});

test('[LOG-05] a throttled sign-in says how long to wait', () => {
  assert.match(signInPage(page, { csrf: 'c', error: 'throttled', retryAfterSeconds: 90 }), /Try again in 90 seconds\./);
  assert.match(signInPage(page, { csrf: 'c', error: 'throttled', retryAfterSeconds: 541 }), /Try again in 10 minutes\./);
});

test('[CON-01] who is waiting is named with what is known of it', () => {
  assert.match(signInPage(page, { csrf: 'c', client: { name: 'Claude Code', tier: 'document', host: 'claude.ai' } }), /published by <strong><bdi>claude\.ai/);
  assert.match(signInPage(page, { csrf: 'c', client: { name: 'Claude Code', tier: 'dynamic' } }), /an unverified app that registered itself/);
});

test('an English page is plain ASCII, which needs no encoding, and its title is read as ever', () => {
  const html = signInPage({ ...page, menu: { languages, at: 'here' } }, { csrf: 'c' });

  assert.match(html, /^[\x20-\x7e\n]+$/);
  assert.match(html, /<title>Sign in &#183; ACME<\/title>/);
});
