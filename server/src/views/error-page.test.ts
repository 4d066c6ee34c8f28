import assert from 'node:assert/strict';
import { test } from 'node:test';
import { differenceOf } from '../rules/difference.ts';
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
    '<h2>For the developer</h2><p lang="en" dir="ltr">Send it once.</p>',
    '<code>state</code>',
  ]) {
    assert.ok(html.includes(part), part);
  }
});

test('a recognised agent gets its own fix, an unknown one gets them all', () => {
  const by = (names: string[], places: string[] = []) =>
    staleClientFixes({ names, places }, page)
      .map(({ label }) => label)
      .slice(0, -1);

  assert.deepEqual(by([], ['cursor://anysphere.cursor-mcp/oauth/callback']), ['Cursor']);
  assert.deepEqual(by(['Claude Code (files)']), ['Claude Code']);
  assert.deepEqual(by(['', 'client_1'], ['https://claude.ai/api/mcp/auth_callback']), ['Claude']);
  assert.deepEqual(by(['Gemini CLI MCP Client'], ['http://localhost:7777/oauth/callback']), ['Gemini CLI']);
  assert.deepEqual(by(['', 'client_1'], ['http://localhost:7777/oauth/callback']), ['mcp-remote', 'Gemini CLI']);
  assert.deepEqual(by(['MCP Inspector'], ['http://localhost:6274/oauth/callback']), ['MCP Inspector']);
  assert.deepEqual(by([], ['http://127.0.0.1:1234/callback/abc_-']), ['Codex']);
  assert.deepEqual(by([], ['http://127.0.0.1:27523/callback']), ['Zed']);
  assert.deepEqual(by([], ['http://127.0.0.1:33418/']), ['VS Code']);
  assert.deepEqual(by([], ['x', 'Mozilla/5.0 Cursor/1.4.2 Chrome/132 Electron/34']), ['Cursor']);
  assert.equal(by(['Somebody else'], ['http://127.0.0.1:1/x']).length, 9);
});

test('addresses that differ are shown one above the other, and what cannot be seen is spelled out', () => {
  const html = errorPage(page, { ...values, forDeveloper: 'Compare.', difference: differenceOf('https://a.example/c\u200Bb<i>', 'https://a.example/cb') });

  assert.match(html, /https:\/\/a\.example\/c<mark>\[U\+200B\]<\/mark>b<mark>&lt;i&gt;<\/mark>/);
  assert.match(html, /<dt>Registered<\/dt><dd><code dir="ltr">https:\/\/a\.example\/cb<\/code>/);
});
