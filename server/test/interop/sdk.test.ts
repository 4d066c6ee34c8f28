/** Our SDK against our server: what it promises about keys, outages, revocation and local verification, with nobody playing the other side. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AuthAgentClient, AuthenticationError, type AuthServerUnavailable } from 'auth-agent-mcp-sdk';
import { filesServer } from '../../../examples/typescript-server/src/files-server.ts';
import { auditEvent } from '../../src/audit/event.ts';
import { decodeJwt } from '../../src/crypto/jwt.ts';
import { publishAhead } from '../../src/crypto/signing-keys.ts';
import { all, openAgent, v2 } from './agents.ts';
import { openStand, type Registered, type Stand } from './stand.ts';

/** A token that the official client got for a server. */
async function tokenFor({ url }: Registered, stand: Stand, kept = {}): Promise<string> {
  const agent = openAgent(v2, { url, visit: stand.allow, kept });
  await agent.connect();
  await agent.close();
  return agent.kept.tokens?.access_token ?? '';
}

const folder = { list: async () => [], read: async () => '', write: async () => {}, remove: async () => {} };

test('[INT-04] [RS-20] [REV-04] validateToken tells who it is, revokeToken ends it for everybody at once', async (t) => {
  const stand = await openStand(t);
  const files = await stand.files();
  const token = await tokenFor(files, stand);
  const client = new AuthAgentClient({ ...files.options, cacheTtl: 30 });
  const neighbour = new AuthAgentClient(files.options);

  const metadata = await client.getServerMetadata();
  const { user, clientId, scopes, resource } = await client.validateToken(token);
  await client.revokeToken(token);

  assert.deepEqual(metadata, { resource: files.row.resource, scopes: ['files:read', 'files:write', 'files:delete'], name: 'Files' });
  assert.deepEqual([user.email, user.username, resource], ['ada@example.com', 'ada', files.row.resource]);
  assert.match(user.id, /^usr_/);
  assert.equal(clientId, decodeJwt(token)?.claims['client_id']);
  assert.ok(scopes.includes('files:read'));
  for (const one of [client, neighbour]) await assert.rejects(one.validateToken(token), AuthenticationError);
  assert.match(files.said.splice(0).join(), /^auth-agent: a token for this server is not active, and none was so far\./, 'the neighbour has seen no other');
});

test('[RS-17] with its key deleted the server answers 503 to everybody and tells its operator why, and nobody is asked to sign in', async (t) => {
  const hints: string[] = [];
  const stand = await openStand(t);
  const files = await stand.serve('/mcp', (options) => filesServer(folder, { ...options, log: (hint) => void hints.push(hint) }).fetch);
  const token = await tokenFor(files, stand);
  const keyId = /^(sk_[^_]+)_/.exec(files.options.apiKey ?? '')?.[1] ?? '';

  await stand.store.revokeKey(files.row.id, keyId, auditEvent('key.revoked', stand.clock.now(), 'test'));
  const answer = await fetch(files.url, { method: 'POST', headers: { Authorization: `Bearer ${token}` } });

  assert.equal(answer.status, 503);
  assert.equal(answer.headers.get('www-authenticate'), null);
  assert.match(hints.join(), /refused the API key of srv_/);
  assert.ok(!hints.join().includes(files.options.apiKey ?? '-'));
});

test('[RS-17] the id of a key in place of its secret is 503, and the hint says which of the two was given', async (t) => {
  const hints: string[] = [];
  const stand = await openStand(t);
  const files = await stand.files();
  const token = await tokenFor(files, stand);
  const apiKey = /^(sk_[^_]+)_/.exec(files.options.apiKey ?? '')?.[1] ?? '';
  const client = new AuthAgentClient({ ...files.options, apiKey, log: (hint) => void hints.push(hint) });

  await assert.rejects(client.validateToken(token), { code: 'auth_server_unavailable' });

  assert.match(hints.join(), /key_id_used_as_secret/);
});

test('[RS-17] while the authorization server is down a good token is 503 with Retry-After, and known keys go on verifying locally', async (t) => {
  const stand = await openStand(t);
  const told: string[] = [];
  const log = (line: string) => void told.push(line);
  const files = await stand.serve('/mcp', (options) => filesServer(folder, { ...options, log }).fetch);
  const token = await tokenFor(files, stand);
  const local = new AuthAgentClient({ ...files.options, log, verify: 'local' });
  await local.validateToken(token);

  await stand.stop();
  const answer = await fetch(files.url, { method: 'POST', headers: { Authorization: `Bearer ${token}` } });
  const known = await local.validateToken(token);

  assert.equal(answer.status, 503);
  assert.match(answer.headers.get('retry-after') ?? '', /^\d+$/);
  assert.equal(known.email, undefined);
  assert.equal(told.length, 1, told.join());
  await assert.rejects(new AuthAgentClient({ ...files.options, log }).validateToken(token), (error: AuthServerUnavailable) => error.retryAfter > 0);
});

test('[KEY-02] [KEY-04] [RS-07] local verification follows a rotation: tokens of the old key stay good, those of the new one are from its first second', async (t) => {
  const stand = await openStand(t);
  const files = await stand.files();
  const local = new AuthAgentClient({ ...files.options, verify: 'local' });
  await local.validateToken(await tokenFor(files, stand));

  await stand.context.signing.rotate('ES256');
  stand.clock.advance(publishAhead - 60);
  const last = await tokenFor(files, stand);
  stand.clock.advance(60);
  const first = await tokenFor(files, stand);

  const keyOf = (token: string) => decodeJwt(token)?.header.kid;
  assert.notEqual(keyOf(last), keyOf(first));
  for (const token of [last, first]) assert.match((await local.validateToken(token)).id, /^usr_/);
});

for (const name of all) {
  test(`[META-02] [META-03] [PRM-01] ${name} finds a tenant whose issuer has a path, from a document on the MCP server's own origin`, async (t) => {
    const stand = await openStand(t, {}, 'acme');
    const files = await stand.serve('/mcp', (options, { href }) => filesServer(folder, { ...options, resource: href }).fetch);
    const agent = openAgent(name, { url: files.url, visit: stand.allow });

    await agent.connect();
    await agent.call('list_files');
    await agent.close();

    const claims = decodeJwt(agent.kept.tokens?.access_token ?? '')?.claims;
    assert.match(stand.issuer, /\/t\/acme$/);
    assert.equal(claims?.['iss'], stand.issuer);
    assert.equal(agent.visits[0]?.pathname, '/t/acme/authorize');
    assert.ok(agent.log.includes('GET /.well-known/oauth-protected-resource/mcp 200'));
    assert.ok(agent.log.includes('GET /.well-known/oauth-authorization-server/t/acme 200'));
  });
}

test('[ACC-01] [ACC-02] [REV-04] what a person pauses, reduces or disconnects is felt within the cache time, and a pause ends as it began', async (t) => {
  const stand = await openStand(t);
  const files = await stand.files();
  const more = (url: URL) => {
    url.searchParams.set('scope', 'files:read files:write');
    return stand.allow(url);
  };
  const agent = openAgent(v2, { url: files.url, visit: more });
  await agent.connect();
  await agent.close();
  const token = agent.kept.tokens?.access_token ?? '';
  const client = new AuthAgentClient({ ...files.options, cacheTtl: 30 });
  const [user] = await stand.store.listUsers();
  const userId = user?.id ?? '';
  const grantId = String(decodeJwt(token)?.claims['grant_id']);
  const event = (type: Parameters<typeof auditEvent>[0]) => auditEvent(type, stand.clock.now(), 'test');
  const scopes = async () => (await client.validateToken(token)).scopes;
  const felt = () => stand.clock.advance(31);
  assert.deepEqual(await scopes(), ['files:read', 'files:write']);

  await stand.store.reduceAgent({ userId, grantId, remove: ['files:write'] }, event('grant.reduced'));
  felt();
  assert.deepEqual(await scopes(), ['files:read']);
  await stand.store.pauseAgent(userId, grantId, event('grant.paused'));
  felt();
  await assert.rejects(client.validateToken(token), AuthenticationError);
  await stand.store.resumeAgent(userId, grantId, event('grant.resumed'));
  felt();
  assert.deepEqual(await scopes(), ['files:read']);
  await stand.store.disconnectAgent(userId, grantId, 'person', event('grant.revoked'));
  felt();
  await assert.rejects(client.validateToken(token), AuthenticationError);
});
