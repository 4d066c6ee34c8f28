import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ErrorPageValues, errorPage } from './error-page.ts';
import type { PageFrame } from './layout.ts';
import { staleClientFixes } from './stale-client-fixes.ts';
import { wordsFor } from './words.ts';

const page: PageFrame = { ...wordsFor('en'), serviceName: 'ACME', host: 'auth.example.com', requestId: 'req_1', base: '' };
const values: ErrorPageValues = { code: 'invalid_request', title: 'It did not work', text: 'What happened.', forUser: 'Try again.', requestId: 'req_1' };

test('[AZ-31] the interstitial names the destination host, links to it, and goes nowhere by itself', () => {
  const html = errorPage(page, { ...values, continueTo: { href: 'https://evil.example/cb?error=invalid_scope&state=x', host: 'evil.example' } });

  assert.match(html, /Continue only if you know <strong class="place"><bdi>evil\.example<\/bdi><\/strong>/);
  assert.match(html, /<a class="button quiet" href="https:\/\/evil\.example\/cb\?error=invalid_scope&amp;state=x" rel="noreferrer">/);
  assert.doesNotMatch(html, /http-equiv="refresh"/);
});

test('[LOG-10] a destination that no browser should open is not offered', () => {
  assert.doesNotMatch(errorPage(page, { ...values, continueTo: { href: 'javascript:alert(1)', host: 'x' } }), /Continue/);
});

test('code and request id are on the page, and what is for the developer is apart from what is for the person', () => {
  const html = errorPage(page, { ...values, forDeveloper: 'Send it once.', details: [['parameter', 'state']] });

  for (const part of [
    '<code>invalid_request</code>',
    '<code>req_1</code>',
    '<h2>What you can do</h2><p>Try again.</p>',
    '<h2>For the developer</h2><p>Send it once.</p>',
    '<code>state</code>',
  ]) {
    assert.ok(html.includes(part), part);
  }
});

test('a recognised agent gets its own fix, an unknown one gets them all', () => {
  const labels = (...hints: string[]) => staleClientFixes(hints, page).map(({ label }) => label);

  assert.deepEqual(labels('cursor://anysphere.cursor-mcp/oauth/callback'), ['Cursor', 'Any other agent']);
  assert.deepEqual(labels('Claude Code'), ['Claude Code', 'Any other agent']);
  assert.deepEqual(labels('http://127.0.0.1:1/x'), ['Claude Code', 'mcp-remote', 'Cursor', 'VS Code', 'Any other agent']);
});
