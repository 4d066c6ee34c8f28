import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contactHref, safeReturnHref } from './safe-href.ts';

test('[LOG-10] an address that the browser itself would run or read is never a link', () => {
  const hostile = [
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    ' java\nscript:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    'blob:https://x/1',
    'file:///etc/passwd',
    'about:blank',
    'view-source:https://x',
    'chrome://settings',
    'chrome-extension://x/y',
    '/relative',
    '//host',
    'http://evil.example/',
    '',
  ];

  for (const href of hostile) assert.equal(safeReturnHref(href), undefined, href);
});

test('https, loopback http and the own scheme of an app pass, unchanged to the last character', () => {
  for (const href of [
    'https://claude.ai/cb?code=1&state=a%20b',
    'http://localhost:3000/cb?code=1',
    'http://[::1]:1/cb',
    'cursor://anysphere.cursor-mcp/oauth/callback?code=1',
    'com.example.app:/cb',
  ])
    assert.equal(safeReturnHref(href), href);
});

test('a contact becomes a link when it is an e-mail or https address, and stays words otherwise', () => {
  assert.equal(contactHref('help@example.com'), 'mailto:help@example.com');
  assert.equal(contactHref('https://example.com/help'), 'https://example.com/help');
  for (const contact of ['javascript:alert(1)', 'call 123', 'a@b?bcc=c@d', 'http://example.com']) assert.equal(contactHref(contact), undefined, contact);
});
