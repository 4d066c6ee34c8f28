import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeRedirect, isLoopbackHost } from './redirect-target.ts';
import { wordsFor } from './words.ts';

const en = wordsFor('en');

test('[CON-01] [CON-02] a loopback address is a program on this computer, and any program could be asking', () => {
  for (const [uri, place] of [
    ['http://localhost:3000/callback', 'localhost:3000'],
    ['http://127.0.0.1/callback', '127.0.0.1'],
    ['http://[::1]:8/cb', '[::1]:8'],
  ] as const) {
    const target = describeRedirect(uri, en, { host: 'claude.ai' });

    assert.deepEqual([target.kind, target.line, target.anyProgram, target.warning], ['loopback', `a program on this computer (${place})`, true, undefined]);
  }
});

test('[CON-02] a custom scheme is whichever app handles it', () => {
  const target = describeRedirect('cursor://anysphere.cursor-mcp/oauth/callback', en);

  assert.deepEqual([target.kind, target.line, target.anyProgram], ['custom-scheme', 'the app that handles cursor:// links on this computer', true]);
});

test('[CIMD-15] an https address shows its real host, also behind user information', () => {
  assert.equal(describeRedirect('https://claude.ai@evil.example/cb', en).place, 'evil.example');
  assert.equal(describeRedirect('https://claude.ai.evil.example:8443/cb', en).place, 'claude.ai.evil.example:8443');
  assert.equal(describeRedirect('https://clаude.ai/cb', en).place, 'xn--clude-5ve.ai', 'Cyrillic letters show as Punycode');
});

test('[CIMD-15] leaving the domain that publishes the app is said in so many words', () => {
  assert.equal(describeRedirect('https://evil.example/cb', en, { host: 'claude.ai' }).warning, 'Returns to evil.example, which is not claude.ai.');
  assert.equal(describeRedirect('https://notclaude.ai/cb', en, { host: 'claude.ai' }).warning, 'Returns to notclaude.ai, which is not claude.ai.');
  assert.ok(describeRedirect('https://b.github.io/cb', en, { host: 'a.github.io' }).warning, 'siblings may have different owners');
  assert.ok(describeRedirect('https://evil.ai/cb', en, { host: 'ai' }).warning, 'a top-level name owns nothing');
  assert.equal(describeRedirect('https://claude.ai/cb', en, { host: 'claude.ai' }).warning, undefined);
  assert.equal(describeRedirect('https://app.claude.ai/cb', en, { host: 'claude.ai' }).warning, undefined);
});

test('a caller who knows better about the publisher is believed, both ways', () => {
  assert.equal(describeRedirect('https://claude.com/cb', en, { host: 'claude.ai', belongs: true }).warning, undefined);
  assert.ok(describeRedirect('https://claude.ai/cb', en, { host: 'claude.ai', belongs: false }).warning);
  assert.ok(describeRedirect('https://claude.ai/cb', en, { belongs: false }).warning);
});

test('an address we would not vouch for says so', () => {
  for (const uri of ['http://example.com/cb', 'not an address']) assert.ok(describeRedirect(uri, en).warning, uri);
  assert.equal(describeRedirect('urn:ietf:wg:oauth:2.0:oob', en).kind, 'code-page');
});

test('a host that only begins like loopback is not loopback', () => {
  for (const host of ['localhost.evil.example', '127.0.0.1.evil.example', '128.0.0.1', 'xlocalhost']) assert.equal(isLoopbackHost(host), false, host);
});

test('the part of a host that someone had to register is known for the eye', () => {
  const owners = ['https://a.b.evil.example/', 'https://a.shop.co.uk/', 'https://192.0.2.1/', 'https://a.b.example:8443/'].map(
    (uri) => describeRedirect(uri, en).owner,
  );

  assert.deepEqual(owners, ['evil.example', 'shop.co.uk', '192.0.2.1', 'b.example:8443']);
});
