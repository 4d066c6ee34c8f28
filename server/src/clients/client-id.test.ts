/** Proves which client ids are read as addresses of metadata documents. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { inspectClientId } from './client-id.ts';

const open = { documentQuery: false, documentHosts: { deny: [] } };
const kind = (id: string) => inspectClientId(id, open).kind;

test('[CIMD-01] a plain https address with a path is a document', () => {
  for (const id of [
    'https://app.example/client',
    'https://app.example/a/b.json',
    'https://app.example:8443/client',
    'https://app.example/client/',
    'https://app.example/a%20b',
    'https://xn--mnchen-3ya.de/c',
  ]) {
    assert.deepEqual(inspectClientId(id, open), { kind: 'document', url: id });
  }
});

test('[CIMD-01] an id that does not begin with https:// in lower case is one of ours', () => {
  for (const id of [
    '',
    'client_abc',
    'http://app.example/client',
    'HTTPS://app.example/client',
    'ftp://x/y',
    'https:app.example/client',
    ' https://app.example/client',
  ])
    assert.equal(kind(id), 'registered', id);
});

test('[CIMD-01] [CIMD-02] an address with anything that parsers read differently is refused', () => {
  const ids = [
    'https://',
    'https://app.example',
    'https://app.example/',
    'https://app.example/client#',
    'https://app.example/client#x',
    'https://user@app.example/client',
    'https://user:pw@app.example/client',
    'https://@app.example/client',
    'https://app.example/./client',
    'https://app.example/a/../client',
    'https://app.example/a/..',
    'https://app.example/%2e%2e/client',
    'https://app.example/%2E/client',
    'https://app.example/.%2e/client',
    'https://app.example\\client',
    'https://app.example/cl\\ient',
    'https://app.example/cl ient',
    'https://app.example/client\n',
    'https://app.example/ünicode',
    'https://münchen.de/client',
    'https://evil.example。/client',
    'https://0x7f.1/client',
    'https://2130706433/client',
    'https://app.example:99999/client',
    'https://app.example:/client',
    'https://app.example/%zz',
    'https:///app.example/client',
    'https://app.example/client?x=1',
    'https://app.example/client?',
    `https://app.example/${'x'.repeat(2048)}`,
  ];
  for (const id of ids) assert.equal(kind(id), 'refused', JSON.stringify(id));
});

test('[CIMD-18] another spelling of an address is not that client', () => {
  for (const id of ['https://App.example/client', 'https://app.example:443/client', 'https://app.example./../client']) assert.equal(kind(id), 'refused', id);
});

test('[CIMD-02] the operator may allow a query', () => {
  assert.equal(inspectClientId('https://app.example/client?v=1', { ...open, documentQuery: true }).kind, 'document');
  assert.equal(inspectClientId('https://app.example/client?v="1', { ...open, documentQuery: true }).kind, 'refused');
});

test('[CIMD-19] hosts can be allowed and denied, with everything below them', () => {
  const under = (documentHosts: { allow?: string[]; deny: string[] }) => (id: string) =>
    inspectClientId(`https://${id}/client`, { documentQuery: false, documentHosts }).kind === 'document';
  const allowing = under({ allow: ['claude.ai', '*.example.com'], deny: ['bad.example.com'] });
  assert.deepEqual(['claude.ai', 'a.example.com', 'b.a.example.com'].map(allowing), [true, true, true]);
  assert.deepEqual(['evil.ai', 'example.com', 'bad.example.com', 'evilexample.com', 'xclaude.ai', 'claude.ai.evil.example'].map(allowing), [
    false,
    false,
    false,
    false,
    false,
    false,
  ]);
  assert.deepEqual(['bad.example', 'x.bad.example', 'good.example'].map(under({ deny: ['bad.example'] })), [false, true, true]);
});

test('[CIMD-01] whatever id is sent: one taken for a document is a normal https URL with a path and no more', () => {
  const piece = fc.oneof(fc.constantFrom('https://', 'app.example', '/', 'client', '?', '#', '@', ':', '..', '%2e', '\\', '443'), fc.string({ maxLength: 5 }));
  fc.assert(
    fc.property(
      fc.oneof(
        fc.webUrl({ validSchemes: ['https'] }),
        fc.array(piece, { maxLength: 7 }).map((pieces) => `https://${pieces.join('')}`),
      ),
      (id) => {
        const form = inspectClientId(id, open);
        if (form.kind !== 'document') return;
        const url = new URL(id);
        assert.equal(url.href, id);
        assert.ok(url.pathname.length > 1 && url.search === '' && url.hash === '' && url.username === '');
        assert.equal(form.url, id);
      },
    ),
    { numRuns: 2000 },
  );
});
