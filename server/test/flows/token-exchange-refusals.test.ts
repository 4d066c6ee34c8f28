/**
 * Token exchange, the negative side: what must never be given, each with its exact answer.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { decodeJwt } from 'jose';
import { auditEvent } from '../../src/audit/event.ts';
import { accessTokenType, exchangeGrant, filesScope, type Stage, secret, stage } from './exchange-stage.ts';
import { basic, errorOf, type Json } from './token-stage.ts';

const badSubject = { status: 400, error: 'invalid_request', description: 'The subject token is not valid' };

async function approved(): Promise<Stage & { first: string }> {
  const on = await stage();
  await on.allow(on.filesClient, on.notes, ['notes:read', 'archive:read']);
  return { ...on, first: await on.agentToken() };
}

describe('token exchange refuses', () => {
  test('[TEX-01] requests without subject_token, or a token and its type without each other', async () => {
    const on = await approved();
    const wrong: [Record<string, string>, string][] = [
      [{ subject_token: '' }, 'subject_token_type is there without its subject_token'],
      [{ subject_token_type: '' }, 'subject_token_type is required'],
      [{ subject_token: '', subject_token_type: '' }, 'subject_token is required'],
      [{ actor_token: on.first }, 'actor_token_type is required'],
      [{ actor_token_type: accessTokenType }, 'actor_token_type is there without its actor_token'],
      [{ resource: '' }, 'resource is required'],
      [{ requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }, 'requested_token_type is not one that is issued here'],
      [{ requested_token_type: '__proto__' }, 'requested_token_type is not one that is issued here'],
      [{ subject_token_type: 'urn:ietf:params:oauth:token-type:id_token' }, 'Only access tokens can be exchanged'],
      [{ subject_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }, 'Only access tokens can be exchanged'],
    ];
    for (const [more, description] of wrong)
      assert.deepEqual(await errorOf(await on.exchange(on.filesClient, on.first, more)), { status: 400, error: 'invalid_request', description });
    const inQuery = await on.request(`/token?subject_token=${on.first}`, { method: 'POST', body: '' });
    assert.deepEqual((await errorOf(inQuery)).description, 'Secrets belong in the body, never in the address');
  });

  test('[TEX-02] [TEX-08] every token that is no living access token of this person and tenant, all with one answer', async () => {
    const on = await approved();
    const withRefresh = await on.tokens({ client: on.client, scope: ['openid', ...filesScope] });
    const { secret: key } = await on.keyOf();
    const [header, payload, signature = ''] = on.first.split('.');
    const forged = Buffer.from(JSON.stringify({ ...decodeJwt(on.first), scope: 'notes:delete' })).toString('base64url');
    const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'at+jwt' })).toString('base64url');
    const bad: Record<string, string> = {
      garbage: 'x',
      'an API key': key,
      'a refresh token': withRefresh.refresh_token,
      'an ID token': withRefresh.id_token ?? '',
      'other claims under the signature': `${header}.${forged}.${signature}`,
      'another signature': `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
      'no signature': `${none}.${payload}.`,
      'a token of another tenant': await tokenOfTenant(on),
      'a token for another server': (await on.tokens({ client: on.client, resource: on.notes.resource, scope: ['notes:read'] })).access_token,
    };
    for (const [what, subject] of Object.entries(bad)) assert.deepEqual(await errorOf(await on.exchange(on.filesClient, subject)), badSubject, what);
    assert.equal((await on.exchange(on.filesClient, on.first)).status, 200);

    on.clock.advance(3600);
    assert.deepEqual(await errorOf(await on.exchange(on.filesClient, on.first)), badSubject, 'expired');
  });

  test('[TEX-02] [TEX-08] a token that was revoked, whose grant was, or whose person is disabled', async () => {
    const endings: Record<string, (on: Awaited<ReturnType<typeof approved>>) => Promise<unknown>> = {
      token: (on) => on.post('/revoke', { token: on.first, client_id: on.client.id }),
      grant: (on) => on.store.revokeGrant(String(decodeJwt(on.first)['grant_id']), 'person', auditEvent('grant.revoked', on.clock.now(), 'test')),
      person: (on) => on.store.setUserDisabled(on.user.id, true, auditEvent('user.disabled', on.clock.now(), 'test')),
    };
    for (const [what, end] of Object.entries(endings)) {
      const on = await approved();
      await end(on);
      assert.deepEqual(await errorOf(await on.exchange(on.filesClient, on.first)), badSubject, what);
      assert.deepEqual(await on.store.listDelegations(on.user.id, on.clock.now()), []);
    }
  });

  test('[TEX-02] a token of a machine, which nobody can have approved', async () => {
    const on = await approved();
    await on.addClient({ id: 'machine', secret, metadata: { grantTypes: ['client_credentials'], scope: filesScope.join(' ') } });
    const own = await on.post('/token', { grant_type: 'client_credentials', resource: on.mcp.resource }, basic('machine', secret));
    const machineToken = String(((await own.json()) as Json)['access_token']);

    assert.deepEqual(await errorOf(await on.exchange(on.filesClient, machineToken)), badSubject);
  });

  test('[TEX-05] [DCR-13] clients that are public, registered themselves, speak for no server, or are not registered for the grant', async () => {
    const on = await approved();
    const metadata = { grantTypes: [exchangeGrant] };
    const wrong = [
      await on.addClient({ id: 'alone', secret, metadata }),
      await on.addClient({ id: 'gone', secret, metadata, serverId: 'srv_gone' }),
      await on.addClient({ id: 'self', secret, metadata, serverId: on.mcp.id, registration: 'dynamic' }),
      await on.addClient({ id: 'web', secret, serverId: on.mcp.id }),
    ];
    for (const client of wrong) {
      await on.allow(client, on.notes, ['notes:read']);
      assert.equal((await errorOf(await on.exchange(client, on.first))).error, 'unauthorized_client', client.id);
    }
    const open = await on.addClient({ id: 'open', metadata, serverId: on.mcp.id });
    await on.allow(open, on.notes, ['notes:read']);
    const body = { grant_type: exchangeGrant, client_id: 'open', subject_token: on.first, subject_token_type: accessTokenType, resource: on.notes.resource };
    assert.equal((await errorOf(await on.post('/token', body))).error, 'unauthorized_client');
    assert.equal((await errorOf(await on.post('/token', { ...body, client_id: 'files-service' }))).error, 'invalid_client');
    assert.equal((await errorOf(await on.post('/token', body, basic('files-service', 'wrong')))).error, 'invalid_request');
  });

  test('[TEX-05] what was meant for another server cannot be collected by a client that speaks for this one', async () => {
    const on = await approved();
    await on.allow(on.notesClient, on.archive, ['archive:read']);

    assert.deepEqual(await errorOf(await on.exchange(on.notesClient, on.first, { resource: on.archive.resource })), badSubject);
  });

  test('[TEX-03] targets that are not registered, are this server itself, the same server, or several', async () => {
    const on = await approved();
    for (const resource of ['https://unknown.example.com', 'not a uri', on.context.issuer, on.mcp.resource, `${on.notes.resource}#x`])
      assert.deepEqual((await errorOf(await on.exchange(on.filesClient, on.first, { resource }))).error, 'invalid_target', resource);
    assert.equal((await errorOf(await on.exchange(on.filesClient, on.first, { audience: on.archive.resource }))).error, 'invalid_target');
    assert.equal((await on.exchange(on.filesClient, on.first, { audience: on.notes.resource })).status, 200);
    assert.equal((await on.exchange(on.filesClient, on.first, { resource: '', audience: 'HTTPS://NOTES.example.com:443/mcp' })).status, 200);
  });

  test('[TEX-05] a client that acts in the chain already, however far back', async () => {
    const on = await approved();
    const circular = { status: 400, error: 'invalid_request', description: 'The client already acts in the chain of the subject token' };
    const back = await on.addClient({ id: 'notes-back', secret, serverId: on.notes.id, metadata: { grantTypes: [exchangeGrant] } });
    await on.allow(back, on.mcp, ['notes:read']);
    const second = await on.exchanged(on.filesClient, on.first, { scope: 'notes:read' });
    const home = await on.exchanged(back, second.access_token, { resource: on.mcp.resource });

    assert.deepEqual(await errorOf(await on.exchange(on.filesClient, home.access_token)), circular);

    // A client that the person connected like any agent does not become its own actor.
    const own = await on.tokens({ client: on.client, scope: filesScope });
    const itself = await on.addClient({ id: 'itself', secret, serverId: on.mcp.id, metadata: { grantTypes: [exchangeGrant, 'authorization_code'] } });
    const { code } = await on.code({ client: itself, scope: filesScope });
    const redeemed = await on.post(
      '/token',
      { grant_type: 'authorization_code', code, code_verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk', redirect_uri: 'http://localhost:4711/callback' },
      basic('itself', secret),
    );
    const direct = String(((await redeemed.json()) as Json)['access_token']);
    await on.allow(itself, on.notes, ['notes:read']);
    assert.deepEqual(await errorOf(await on.exchange(itself, direct)), circular);
    assert.equal((await on.exchange(itself, own.access_token)).status, 200);
  });

  test('[TEX-05] a chain longer than the operator allows', async () => {
    for (const delegationDepth of [1, 2]) {
      const on = await stage({ delegationDepth });
      await on.allow(on.filesClient, on.notes, ['archive:read']);
      await on.allow(on.notesClient, on.archive, ['archive:read']);
      const second = await on.exchanged(on.filesClient, await on.agentToken());
      const third = await on.exchange(on.notesClient, second.access_token, { resource: on.archive.resource });

      if (delegationDepth === 2) assert.equal(third.status, 200);
      else
        assert.deepEqual(await errorOf(third), {
          status: 400,
          error: 'invalid_request',
          description: 'The subject token was handed on as often as it may be',
        });
    }
  });

  test('[TEX-05] a scope that the subject token lacks, that the server does not offer, or that is about the person', async () => {
    const on = await approved();
    // Of two approvals the later counts, so they must not be of one second.
    on.clock.advance(1);
    await on.allow(on.filesClient, on.notes, ['notes:read', 'notes:delete', 'openid', 'files:read']);
    const subject = await on.agentToken([...filesScope, 'openid', 'offline_access']);
    for (const scope of ['notes:delete', 'files:read', 'openid', 'offline_access', 'notes:read notes:delete', 'NOTES:READ'])
      assert.equal((await errorOf(await on.exchange(on.filesClient, subject, { scope }))).error, 'invalid_scope', scope);
    assert.equal((await on.exchanged(on.filesClient, subject)).scope, 'notes:read');
    assert.equal((await errorOf(await on.exchange(on.filesClient, await on.agentToken(['files:read'])))).error, 'invalid_scope');
  });

  test('[TEX-05] what was allowed at another server, to another client, or is over', async () => {
    const on = await stage();
    const first = await on.agentToken();
    const refused = async () => (await (await on.exchange(on.filesClient, first)).json()) as Json;
    await on.allow(on.filesClient, on.archive, ['notes:read']);
    await on.allow(on.notesClient, on.notes, ['notes:read']);
    await on.allow(on.client, on.notes, ['notes:read']);
    assert.equal((await refused())['code'], 'delegation_not_approved');
    const grantId = await on.allow(on.filesClient, on.notes, ['notes:read']);
    assert.equal((await on.exchange(on.filesClient, first)).status, 200);
    await on.store.disconnectAgent(on.user.id, grantId, 'person', auditEvent('grant.revoked', on.clock.now(), 'test'));
    assert.deepEqual((await refused())['code'], 'delegation_not_approved');
  });
});

const scopes = [...filesScope, 'notes:delete', 'openid', 'x'];
const list = fc.subarray(scopes, { minLength: 1 });

test('[TEX-05] whatever is asked, subject token, approval and server each bound what is given', async () => {
  const on = await stage();
  await fc.assert(
    fc.asyncProperty(list, list, fc.subarray(scopes), async (had, allowed, asked) => {
      const grantId = await on.allow(on.filesClient, on.notes, allowed);
      const response = await on.exchange(on.filesClient, await on.agentToken(had), asked.length > 0 ? { scope: asked.join(' ') } : {});
      const body = (await response.json()) as Json;
      await on.store.revokeGrant(grantId, 'person', auditEvent('grant.revoked', on.clock.now(), 'test'));

      const within = ['notes:read', 'notes:write', 'notes:delete', 'archive:read'].filter((name) => had.includes(name) && allowed.includes(name));
      const wanted = asked.length > 0 ? asked : within;
      const possible = wanted.length > 0 && wanted.every((name) => within.includes(name));
      assert.equal(response.status, possible ? 200 : 400);
      if (possible) assert.deepEqual(String(body['scope']).split(' ').toSorted(), wanted.toSorted());
    }),
    { numRuns: 60 },
  );
});

test('[TEX-01] [TEX-02] whatever is sent to an exchange, the answer is never a 5xx and never a token', async () => {
  const on = await approved();
  const odd = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 80 }),
    fc.string({ unit: fc.constantFrom(...'abcXYZ019_-.='), maxLength: 200 }),
    fc.constantFrom('', ' ', '__proto__', accessTokenType, on.notes.resource, 'a.b.c', on.client.id),
  );
  const change = fc.record({
    name: fc.constantFrom('subject_token', 'subject_token_type', 'actor_token', 'requested_token_type', 'resource', 'audience', 'scope'),
    value: odd,
  });
  const harmless = (name: string, value: string) => {
    if (value === '') return name !== 'subject_token' && name !== 'subject_token_type' && name !== 'resource';
    if (name === 'scope') return value.trim() === '';
    return (name.endsWith('_type') && value === accessTokenType) || ((name === 'resource' || name === 'audience') && value === on.notes.resource);
  };
  await fc.assert(
    fc.asyncProperty(change, async ({ name, value }) => {
      fc.pre(!harmless(name, value));
      const response = await on.exchange(on.filesClient, on.first, { [name]: value });
      assert.equal(response.status, 400, `${name}=${JSON.stringify(value)}`);
      assert.doesNotMatch(await response.text(), /access_token":|:null/);
    }),
    { numRuns: 300 },
  );
  assert.equal(
    on.logged.some((line) => line.startsWith('error') || line.includes(on.first)),
    false,
  );
});

async function tokenOfTenant(on: Stage & { first: string }): Promise<string> {
  await on.server.storage.addTenant({ tenant: 'acme', name: 'Acme', createdAt: 0 });
  const tenant = await on.server.context('acme');
  assert.ok(tenant);
  const { issue } = await import('../../src/token/issue.ts');
  const given = {
    grantId: String(decodeJwt(on.first)['grant_id']),
    subject: on.user.id,
    clientId: on.client.id,
    resource: on.mcp.resource,
    scope: filesScope,
    dpopJkt: undefined,
  };
  return (JSON.parse((await issue(given, tenant)).json ?? '{}') as { access_token: string }).access_token;
}
