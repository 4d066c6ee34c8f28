import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeJwt } from 'jose';
import { auditEvent } from '../../src/audit/event.ts';
import type { Registration } from '../../src/storage/store.ts';
import { issuer } from '../harness.ts';
import { errorOf, type Json, type Stage, stage, type Tokens } from './token-stage.ts';

const secret = 'cs_secret';
type Machine = { id?: string; registration?: Registration; scope?: string; defaultResource?: string; tokenEndpointAuthMethod?: 'none' | 'client_secret_basic' };

async function withMachine(given: Machine = {}): Promise<Stage & { ask(more?: Record<string, string>): Promise<Response> }> {
  const scene = await stage();
  const { id = 'mcp-task-manager', registration = 'manual', defaultResource = scene.mcp.resource, tokenEndpointAuthMethod = 'client_secret_basic' } = given;
  const { scope = 'files:read files:write other:scope openid profile email offline_access' } = given;
  const metadata = { grantTypes: ['client_credentials'], scope, redirectUris: [], tokenEndpointAuthMethod };
  await scene.addClient({ id, registration, defaultResource, metadata, secret: tokenEndpointAuthMethod === 'none' ? undefined : secret });
  const credentials: Record<string, string> = tokenEndpointAuthMethod === 'none' ? { client_id: id } : { client_id: id, client_secret: secret };
  return { ...scene, ask: (more = {}) => scene.post('/token', { grant_type: 'client_credentials', ...credentials, ...more }) };
}

test('[CC-02] [TOK-04] a machine gets an access token for its resource and its scopes, and nothing else', async () => {
  const { ask, introspect, mcp } = await withMachine();

  const response = await ask();

  const tokens = (await response.json()) as Tokens;
  assert.deepEqual(Object.keys(tokens).sort(), ['access_token', 'expires_in', 'scope', 'token_type']);
  assert.equal(tokens.scope, 'files:read files:write');
  const answer: Json = await introspect(tokens.access_token);
  assert.equal(answer.active, true);
  assert.equal(answer.sub, 'mcp-task-manager');
  assert.equal(answer.aud, mcp.resource);
  assert.equal('username' in answer || 'email' in answer || 'auth_time' in answer, false);
});

test('[CC-01] clients that registered themselves, public clients and unpermitted ones get no token', async () => {
  for (const given of [
    { registration: 'dynamic' },
    { registration: 'dynamic', tokenEndpointAuthMethod: 'none' },
    { tokenEndpointAuthMethod: 'none' },
  ] as const) {
    const { ask } = await withMachine(given);
    assert.deepEqual((await errorOf(await ask())).error, 'unauthorized_client');
  }
  const { post, addClient } = await stage();
  const client = await addClient({ secret });
  assert.equal(
    (await errorOf(await post('/token', { grant_type: 'client_credentials', client_id: client.id, client_secret: secret }))).error,
    'unauthorized_client',
  );
});

test('[CC-02] scopes about a person are invalid_scope, also when registered', async () => {
  const { ask } = await withMachine();

  for (const scope of ['openid', 'files:read offline_access', 'profile', 'email'])
    assert.deepEqual((await errorOf(await ask({ scope }))).error, 'invalid_scope', scope);
});

test('[CC-02] our own API has scopes about people only, so a machine gets no token for it', async () => {
  const { ask } = await withMachine();

  for (const scope of ['', 'profile', 'openid']) assert.deepEqual((await errorOf(await ask({ resource: issuer, scope }))).error, 'invalid_scope');
});

test('[CC-03] [JWT-07] the subject is the client, has no auth_time, and can never be the id of a person', async () => {
  const { ask } = await withMachine();
  const claims = decodeJwt(((await (await ask()).json()) as Tokens).access_token);
  const impostor = await withMachine({ id: 'usr_0123456789abcdef' });

  assert.equal(claims.sub, 'mcp-task-manager');
  assert.equal(claims.client_id, 'mcp-task-manager');
  assert.equal('auth_time' in claims, false);
  assert.equal((await errorOf(await impostor.ask())).error, 'unauthorized_client');
});

test('[CC-05] scope stays within the registration and the resource', async () => {
  const { ask } = await withMachine();

  assert.equal(((await (await ask({ scope: 'files:write' })).json()) as Tokens).scope, 'files:write');
  for (const scope of ['files:delete', 'other:scope', 'files:read unknown', 'files:read\tfiles:write'])
    assert.deepEqual((await errorOf(await ask({ scope }))).error, 'invalid_scope', scope);
});

test('[CC-05] a client that is registered for no scope of the resource gets no token', async () => {
  const none = await withMachine({ scope: '' });
  const others = await withMachine({ scope: 'other:scope' });

  assert.equal((await errorOf(await none.ask())).error, 'invalid_scope');
  assert.equal((await errorOf(await others.ask())).error, 'invalid_scope');
});

test('[CC-05] [TOK-07] an unknown resource, two of them and one with a fragment are invalid_target', async () => {
  const { ask, request, mcp } = await withMachine();

  for (const resource of ['https://unknown.example.com', `${mcp.resource}#part`, 'mcp'])
    assert.deepEqual((await errorOf(await ask({ resource }))).error, 'invalid_target', resource);
  const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: 'mcp-task-manager', client_secret: secret });
  body.append('resource', mcp.resource);
  body.append('resource', 'https://unknown.example.com');
  const response = await request('/token', { method: 'POST', body, headers: { 'Content-Type': 'application/x-www-form-urlencoded' } });
  assert.equal((await errorOf(response)).error, 'invalid_target');
});

test('[JWT-03] [D3] [D4] the audience is the registered spelling, whatever spelling was asked for, and the default when none was', async () => {
  const { ask, mcp } = await withMachine();
  const audience = async (more?: Record<string, string>) => decodeJwt(((await (await ask(more)).json()) as Tokens).access_token).aud;

  assert.equal(await audience(), mcp.resource);
  assert.equal(await audience({ resource: 'HTTPS://MCP.Example.com:443/mcp' }), mcp.resource);
});

test('[CC-05] tokens of one machine on one resource share a grant, and revoking it ends them', async () => {
  const { ask, introspect, store } = await withMachine();
  const [first, second] = [(await (await ask({ scope: 'files:read' })).json()) as Tokens, (await (await ask()).json()) as Tokens];
  const grantId = String(decodeJwt(first.access_token).grant_id);
  assert.equal(decodeJwt(second.access_token).grant_id, grantId);

  await store.revokeGrant(grantId, 'operator', auditEvent('grant.revoked', 0, 'test'));

  assert.deepEqual(await introspect(first.access_token), { active: false });
  assert.deepEqual(await introspect(second.access_token), { active: false });
});
