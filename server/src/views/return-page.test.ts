import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PageFrame } from './layout.ts';
import { returnPage } from './return-page.ts';
import { wordsFor } from './words.ts';

const page: PageFrame = { ...wordsFor('en'), serviceName: 'ACME', host: 'auth.example.com', requestId: 'req_1', base: '' };

test('[CON-08] [CON-09] the way back is a refresh and a link to the same address, for apps too', () => {
  const html = returnPage(page, { href: `cursor://x/cb?code=a&state="'<`, denied: false });
  const escaped = 'cursor://x/cb?code=a&amp;state=&quot;&#39;&lt;';

  assert.ok(html.includes(`<meta http-equiv="refresh" content="0;url=${escaped}">`));
  assert.ok(html.includes(`href="${escaped}" rel="noreferrer"`));
  assert.match(html, /Still here\?/);
});

test('[LOG-10] an address that no browser should open gets neither refresh nor link', () => {
  const html = returnPage(page, { href: 'javascript:alert(1)', denied: false });

  assert.doesNotMatch(html, /javascript:|http-equiv/);
});

test('[AZ-26] an answer to be posted is a form with a button, which the script may send by itself', () => {
  const html = returnPage(page, { href: 'https://a.example/cb', fields: { code: 'ac_1', state: `"'<` }, denied: false });

  assert.match(html, /<form method="post" action="https:\/\/a\.example\/cb" data-auto>/);
  assert.ok(html.includes('<input type="hidden" name="state" value="&quot;&#39;&lt;">'));
  assert.match(html, /<button type="submit"/);
  assert.doesNotMatch(html, /http-equiv="refresh"|code=ac_1/);
  assert.doesNotMatch(returnPage(page, { href: 'javascript:alert(1)', fields: { code: 'ac_1' }, denied: false }), /<form|ac_1/);
});

test('after a denial the page says that nothing was shared', () => {
  assert.match(returnPage(page, { href: 'https://a.example/?error=access_denied', denied: true }), /<h1>Nothing was shared<\/h1>/);
});
