import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../exit-codes.ts';
import type { Fetch } from './guarded-fetch.ts';
import { findResourceMetadata, metadataAddresses, resourceFits } from './resource-metadata.ts';
import { findServerMetadata } from './server-metadata.ts';

const isRefused = (error: unknown): boolean => error instanceof Failure && error.exit === 'refused';

/** A network of documents; what is not there is 404, a number is a status. */
function network(documents: Record<string, object | number>): { fetch: Fetch; asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    fetch: async (url) => {
      asked.push(String(url));
      const found = documents[String(url)] ?? 404;
      return typeof found === 'number' ? new Response('', { status: found }) : Response.json(found);
    },
  };
}

test('[CL-01] the challenge says where the metadata is, unless that is not https; else path-inserted, then root', () => {
  const mcp = new URL('https://h.example/a/mcp');
  const text = (named?: string, url = mcp) => metadataAddresses(url, named).map(String);
  const known = ['https://h.example/.well-known/oauth-protected-resource/a/mcp', 'https://h.example/.well-known/oauth-protected-resource'];

  assert.deepEqual(text('https://other.example/m'), ['https://other.example/m']);
  assert.deepEqual(text(), known);
  for (const bad of ['http://h.example/m', 'http://localhost/m', 'file:///etc/passwd', 'nonsense']) assert.deepEqual(text(bad), known, bad);
  assert.deepEqual(text('http://localhost:1/m', new URL('http://localhost:2/mcp')), ['http://localhost:1/m']);
  assert.deepEqual(text(undefined, new URL('https://h.example')), ['https://h.example/.well-known/oauth-protected-resource']);
});

test('[CL-02] a resource is the address itself or a parent by whole segments; anything else is refused', async () => {
  const mcp = new URL('https://h.example/a/mcp');
  for (const good of [
    'https://h.example/a/mcp',
    'https://h.example/a',
    'https://h.example/a/',
    'https://h.example',
    'https://h.example/',
    'HTTPS://H.example:443/a/mcp',
  ])
    assert.ok(resourceFits(good, mcp), good);
  for (const bad of [
    'https://h.example/a/mc',
    'https://h.example/a/mcp/x',
    'https://evil.example/a/mcp',
    'http://h.example/a/mcp',
    'https://h.example:8443/a',
    'https://h.example/a#x',
    'https://h.example/a?x=1',
    'https://u@h.example/a',
    'nonsense',
    '',
  ])
    assert.ok(!resourceFits(bad, mcp), bad);

  const { fetch } = network({
    'https://h.example/.well-known/oauth-protected-resource/a/mcp': { resource: 'https://evil.example', authorization_servers: [] },
  });
  await assert.rejects(findResourceMetadata(mcp, undefined, fetch), isRefused);
});

const good = { authorization_endpoint: 'https://as.example/a', token_endpoint: 'https://as.example/t', code_challenge_methods_supported: ['S256'] };

test('[CL-03] server metadata is looked for in order, past what fails, and believed only from its own issuer', async () => {
  const issuer = 'https://as.example/t1';
  const places = [
    'https://as.example/.well-known/oauth-authorization-server/t1',
    'https://as.example/.well-known/openid-configuration/t1',
    'https://as.example/t1/.well-known/openid-configuration',
  ];
  const { fetch, asked } = network({ [places[0] ?? '']: 500, [places[2] ?? '']: { ...good, issuer } });

  assert.equal((await findServerMetadata(issuer, fetch))?.issuer, issuer);
  assert.deepEqual(asked, places);
  for (const other of ['https://evil.example', 'https://as.example/t1/', 'https://AS.example/t1', undefined])
    await assert.rejects(findServerMetadata(issuer, network({ [places[0] ?? '']: { ...good, issuer: other } }).fetch), isRefused);
  assert.equal(await findServerMetadata(issuer, network({}).fetch), undefined);
});

test('[CL-04] without S256 in the metadata there is no flow', async () => {
  for (const methods of [undefined, [], ['plain'], 'S256']) {
    const document = { ...good, issuer: 'https://as.example', code_challenge_methods_supported: methods };
    const { fetch } = network({ 'https://as.example/.well-known/oauth-authorization-server': document });
    await assert.rejects(findServerMetadata('https://as.example', fetch), isRefused, String(methods));
  }
});
