/** Proves which redirect URIs may be registered, and that a presented one matches only what was registered. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { classifyRedirectUri, concreteRedirect, matchesRegistered, redirectClass } from './redirect-uri.ts';

const dotless = ['cursor', 'vscode'];
const outcome = (uri: string, schemes = dotless) => {
  const found = classifyRedirectUri(uri, schemes);
  return found.refused ?? found.kind;
};

test('[DCR-07] https, http on loopback and private-use schemes in reverse-domain form are accepted', () => {
  for (const uri of [
    'https://claude.ai/api/mcp/auth_callback',
    'https://h.example:8443/cb?tenant=1',
    'https://[2606:4700::1111]/cb',
    'https://127.0.0.1/cb',
    'https://Example.com/cb',
  ]) {
    assert.equal(outcome(uri), 'https', uri);
  }
  for (const uri of ['http://localhost/callback', 'http://localhost:3000/callback', 'http://127.0.0.1', 'http://127.0.0.1:65535/', 'http://[::1]:1/cb?x=y']) {
    assert.equal(outcome(uri), 'loopback', uri);
  }
  for (const uri of [
    'com.example.app:/cb',
    'com.example.app://cb',
    'com.example.app:cb',
    'cursor://anysphere.cursor-mcp/oauth/callback',
    'vscode://publisher.extension/cb',
  ]) {
    assert.equal(outcome(uri), 'custom-scheme', uri);
  }
});

test('[DCR-07] the list of dotless schemes can be emptied', () => {
  assert.equal(outcome('cursor://anysphere.cursor-mcp/oauth/callback', []), 'unsupported');
  assert.equal(outcome('com.example.app:/cb', []), 'custom-scheme');
});

test('[DCR-06] schemes that run or open something are dangerous in any case', () => {
  const uris =
    'javascript:alert(1) JavaScript://x/%0Aalert(1) data:text/html,x vbscript:x file:///etc/passwd blob:https://x/1 about:blank filesystem:https://x/ view-source:https://x ws://x wss://x ' +
    'ftp://x/ chrome://settings chrome-extension://abc/x ms-msdt:/id ms-word:ofe|u|https://x intent://x#Intent;end mailto:a@b tel:1 search-ms:query=x';
  for (const uri of uris.split(' ')) assert.equal(outcome(uri), 'dangerous', uri);
});

test('[DCR-06] what the two readings of a URI disagree about is dangerous', () => {
  const uris = [
    '',
    '/relative',
    '//h.example/cb',
    'https:h.example/cb',
    'https:/h.example/cb',
    'https:///h.example/cb',
    'https://',
    'https://?x=1',
    'https:\\\\h.example\\cb',
    'https://h.example\\@evil.example/cb',
    'https://good.example%2f@evil.example/',
    'https://good.example%2fevil.example/',
    'https://ｅvil.example/',
    'https://evil。example/',
    'https://0x7f.1/cb',
    'https://2130706433/cb',
    'https://h.example/cb\n',
    'https://h.example/c b',
    'https://h.example/\tcb',
    ' https://h.example/cb',
    'https://h.example/"onload=x',
    'https://h.example/<script>',
    'https://h.example/%zz',
    'https://h.example/%',
    'https://user@h.example/cb',
    'https://user:pass@h.example/cb',
    'https://@h.example/cb',
    'com.example.app://user@h/cb',
    'https://h.example/cb#',
    'https://h.example/cb#frag',
    'com.example.app:/cb#x',
    'https://*.example.com/cb',
    'https://*/cb',
    'com.example.app://*/cb',
  ];
  for (const uri of uris) assert.equal(outcome(uri), 'dangerous', JSON.stringify(uri));
});

test('[DCR-06] [DCR-07] http anywhere but on the three names of loopback is dangerous', () => {
  const hosts =
    'h.example 127.0.0.2 0.0.0.0 localhost. localhost.evil.example LOCALHOST 127.1 0x7f.0.0.1 2130706433 [::ffff:127.0.0.1] [0:0:0:0:0:0:0:1] 192.168.0.1 [::] 127.0.0.1.evil.example';
  for (const host of hosts.split(' ')) assert.equal(outcome(`http://${host}:3000/cb`), 'dangerous', host);
});

test('[AZ-08] a registered query that brings parameters of the answer is refused, however it is spelled', () => {
  for (const query of ['code=x', 'a=1&state=x', 'iss=x', 'error=x', 'error_description=x', '%63ode=x', 'code']) {
    assert.equal(outcome(`https://h.example/cb?${query}`), 'dangerous', query);
  }
  assert.equal(outcome('com.example.app:/cb?code=x'), 'dangerous');
  assert.equal(outcome('https://h.example/cb?coded=x&tenant=code'), 'https');
});

test('[CIMD-22] [DCR-08] what is only not offered is unsupported', () => {
  const uris = [
    'http://localhost:*/callback',
    'https://h.example:*/cb',
    'http://localhost:0/cb',
    'http://localhost:65536/cb',
    'http://localhost:/cb',
    'http://localhost:080/cb',
  ];
  for (const uri of [...uris, 'myapp://cb', 'urn:ietf:wg:oauth:2.0:oob', 'HTTPS://h.example/cb', `https://h.example/${'x'.repeat(2048)}`]) {
    const expected = uri.includes('65536') ? 'dangerous' : 'unsupported';
    assert.equal(outcome(uri), expected, uri);
  }
});

test('[AZ-06] redirect URIs are compared as strings, without any normalisation', () => {
  const registered = 'https://h.example/cb?a=1';
  assert.equal(matchesRegistered(registered, registered), true);
  const others =
    'https://h.example/cb?a=1&b=2 https://h.example/cb https://h.example/cb/?a=1 https://h.example/CB?a=1 https://H.example/cb?a=1 HTTPS://h.example/cb?a=1 https://h.example:443/cb?a=1 ' +
    'https://h.example/x/../cb?a=1 https://h.example/%63b?a=1 https://h.example:8443/cb?a=1 http://h.example/cb?a=1 https://h.example/cb?a=1# https://u@h.example/cb?a=1 https://h.example./cb?a=1';
  for (const presented of others.split(' ')) assert.equal(matchesRegistered(presented, registered), false, presented);
});

test('[AZ-07] on loopback http any port matches, with or without a registered one', () => {
  for (const host of ['localhost', '127.0.0.1', '[::1]']) {
    const ports = ['', ':1', ':3000', ':33418', ':65535'];
    for (const registered of ports)
      for (const presented of ports)
        assert.equal(matchesRegistered(`http://${host}${presented}/callback?x=1`, `http://${host}${registered}/callback?x=1`), true);
    assert.equal(matchesRegistered(`http://${host}:5000`, `http://${host}`), true);
  }
});

test('[AZ-07] the three names of loopback never cross, and nothing else is loopback', () => {
  const names = ['localhost', '127.0.0.1', '[::1]'];
  for (const one of names) for (const other of names) if (one !== other) assert.equal(matchesRegistered(`http://${one}:3000/cb`, `http://${other}/cb`), false);
  const presented =
    'http://127.0.0.2:3000/cb http://0.0.0.0:3000/cb http://localhost.:3000/cb http://LOCALHOST:3000/cb http://localhost.evil.com:3000/cb http://[::ffff:127.0.0.1]:3000/cb http://2130706433:3000/cb ' +
    'http://0x7f.1:3000/cb http://localhost:3000@evil.com/cb http://localhost@evil.com:3000/cb https://localhost:3000/cb HTTP://localhost:3000/cb http://localhost:+3000/cb http://localhost:-1/cb ' +
    'http://localhost:0/cb http://localhost:03000/cb http://localhost:65536/cb http://localhost:99999/cb http://localhost:/cb http://localhost:3000:3000/cb http://localhost:3e3/cb http://localhost:３/cb ' +
    'http://localhost:*/cb http://localhost:3000/cb/ http://localhost:3000/CB http://localhost:3000/cb?x http://localhost:3000/cb# http://localhost:3000/x/../cb http://localhost:3000//cb http://localhost:3000\\/cb';
  for (const uri of presented.split(' ')) for (const name of names) assert.equal(matchesRegistered(uri, `http://${name}/cb`), false, `${uri} ${name}`);
  assert.equal(matchesRegistered('https://localhost:3000/cb', 'https://localhost/cb'), false);
  assert.equal(matchesRegistered('http://127.0.0.2:3000/cb', 'http://127.0.0.2/cb'), false);
});

test('[CIMD-22] a registered wildcard port matches nothing, not even itself', () => {
  assert.equal(matchesRegistered('http://localhost:*/callback', 'http://localhost:*/callback'), false);
  assert.equal(matchesRegistered('http://localhost:3000/callback', 'http://localhost:*/callback'), false);
});

test('[AZ-05] only a sole registered entry that names one place can be left out of a request', () => {
  assert.equal(concreteRedirect(['https://h.example/cb']), 'https://h.example/cb');
  assert.equal(concreteRedirect(['http://localhost:3000/cb']), 'http://localhost:3000/cb');
  assert.equal(concreteRedirect(['com.example.app:/cb']), 'com.example.app:/cb');
  assert.equal(concreteRedirect(['http://localhost/cb']), undefined);
  assert.equal(concreteRedirect(['http://localhost:*/cb']), undefined);
  assert.equal(concreteRedirect(['https://h.example/cb', 'https://h.example/cb2']), undefined);
  assert.equal(concreteRedirect([]), undefined);
});

test('the class says who could receive the answer', () => {
  assert.equal(redirectClass('https://h.example/cb'), 'https');
  assert.equal(redirectClass('http://127.0.0.1:9/cb'), 'loopback');
  assert.equal(redirectClass('cursor://x/cb'), 'custom-scheme');
  assert.equal(redirectClass('urn:ietf:wg:oauth:2.0:oob'), 'custom-scheme');
});

const piece = fc.oneof(
  fc.constantFrom(
    'http://',
    'https://',
    'localhost',
    '127.0.0.1',
    '[::1]',
    ':3000',
    ':',
    '@',
    '/',
    '//',
    '\\',
    '?',
    '#',
    '%2f',
    '..',
    'cb',
    '*',
    'evil.example',
    ' ',
    '\n',
    'javascript:',
    'cursor://',
  ),
  fc.string({ maxLength: 6 }),
);
const uriLike = fc.oneof(
  fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
  fc.webUrl(),
  fc.string({ unit: 'grapheme' }),
);

test('[AZ-06] [AZ-07] [DCR-06] whatever is presented: a match of an accepted entry has its scheme, host text, path and query', () => {
  const parts = (uri: string) => /^([^:]+):(?:\/\/(\[[^\]]*\]|[^:/?#]*)(?::\d+)?)?(.*)$/s.exec(uri)?.slice(1);
  fc.assert(
    fc.property(uriLike, uriLike, (registered, presented) => {
      const found = classifyRedirectUri(registered, dotless);
      if (found.refused !== undefined) return;
      assert.ok(URL.canParse(registered) && !/[\s\\#]/.test(registered));
      for (const candidate of [presented, registered]) {
        if (matchesRegistered(candidate, registered)) assert.deepEqual(parts(candidate), parts(registered));
      }
    }),
    { numRuns: 3000 },
  );
});

test('[AZ-07] whatever port, path and query: a loopback entry matches the same with any port, and nothing with another tail', () => {
  const host = fc.constantFrom('localhost', '127.0.0.1', '[::1]');
  const tail = fc.stringMatching(/^(\/[a-z0-9/._-]{0,12})?(\?[a-z0-9=&]{0,8})?$/);
  const port = fc.option(fc.integer({ min: 1, max: 65535 }), { nil: undefined }).map((number) => (number === undefined ? '' : `:${number}`));
  fc.assert(
    fc.property(host, host, tail, tail, port, port, (oneHost, otherHost, oneTail, otherTail, onePort, otherPort) => {
      const matched = matchesRegistered(`http://${oneHost}${onePort}${oneTail}`, `http://${otherHost}${otherPort}${otherTail}`);
      assert.equal(matched, oneHost === otherHost && oneTail === otherTail);
    }),
  );
});
