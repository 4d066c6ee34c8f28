/** Real clients: what they register or publish, and every redirect URI that they then use. Bodies follow what their sources and live documents show. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { deviceCodeGrant } from '../rules/device-grant.ts';
import { matchesRegistered } from '../rules/redirect-uri.ts';
import { inspectClientId } from './client-id.ts';
import { judgeDocument } from './judge-document.ts';
import { parseClientMetadata } from './metadata.ts';

type Fixture = { client: string; body: Record<string, unknown>; uses: string[] };

const policy = { dotlessSchemes: ['cursor', 'vscode', 'vscode-insiders', 'windsurf', 'zed'] };
const folder = new URL('./fixtures/', import.meta.url);
const fixtures = (kind: string): Fixture[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith(`.${kind}.json`))
    .map((name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Fixture);
const matches = (registered: string[], uri: string) => registered.some((entry) => matchesRegistered(uri, entry));

for (const { client, body, uses } of fixtures('registration')) {
  test(`[DCR-08] [DCR-09] [DCR-10] [DCR-18] [AZ-07] ${client} registers, gets refresh, and every redirect URI it uses matches`, () => {
    const { metadata } = parseClientMetadata(body, 'registration', policy);

    assert.deepEqual(metadata.redirectUris, body.redirect_uris);
    // Zed forgets to ask for refresh and gets it; who offers the device grant gets that too.
    const device = [body.grant_types].flat().includes(deviceCodeGrant) ? [deviceCodeGrant] : [];
    assert.deepEqual(metadata.grantTypes, ['authorization_code', 'refresh_token', ...device]);
    assert.equal(metadata.tokenEndpointAuthMethod, body.token_endpoint_auth_method);
    for (const uri of uses) assert.equal(matches(metadata.redirectUris, uri), true, uri);
    for (const uri of ['http://localhost:1/other', 'https://evil.example/cb', 'http://[::1]:1/callback'])
      assert.equal(matches(metadata.redirectUris, uri), false, uri);
  });
}

for (const { client, body, uses } of fixtures('document')) {
  test(`[CIMD-21] [CIMD-10] [AZ-07] the document of ${client} is accepted, and every redirect URI it uses matches`, () => {
    const url = String(body.client_id);
    const fetched = { status: 200, headers: { 'content-type': 'application/json; charset=utf-8' }, body: new TextEncoder().encode(JSON.stringify(body)) };

    const { metadata } = judgeDocument(url, fetched, policy);

    assert.equal(inspectClientId(url, { documentQuery: false, documentHosts: { deny: [] } }).kind, 'document');
    assert.equal(metadata.tokenEndpointAuthMethod, body.token_endpoint_auth_method ?? 'none');
    for (const uri of uses) assert.equal(matches(metadata.redirectUris, uri), true, uri);
    assert.equal(matches(metadata.redirectUris, 'http://localhost:1/other'), false);
  });
}

test('strict mode: Cursor still registers without its private-use scheme', () => {
  const cursor = fixtures('registration').find(({ client }) => client === 'Cursor');

  const { metadata, notes } = parseClientMetadata(cursor?.body, 'registration', { dotlessSchemes: [] });

  assert.deepEqual(metadata.redirectUris, ['https://www.cursor.com/agents/mcp/oauth/callback', 'http://localhost:8787/callback']);
  assert.deepEqual(notes, ['A private-use scheme must be a reverse domain name, such as com.example.app']);
});
