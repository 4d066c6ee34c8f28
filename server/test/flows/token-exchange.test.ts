/**
 * Token exchange: an MCP server calls the next one for the person whose agent called it, and whatever ends on the way ends what came of it.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeJwt } from 'jose';
import { auditEvent } from '../../src/audit/event.ts';
import type { Grant } from '../../src/storage/store.ts';
import { openBrowser, signInAndDecide } from '../browser.ts';
import { proofKey, proven } from '../dpop.ts';
import { issuer, pkce } from '../harness.ts';
import { accessTokenType, exchangeGrant, filesScope, type Stage, secret, stage } from './exchange-stage.ts';
import { basic, bearer, errorOf, type Json, redemption } from './token-stage.ts';

/** Files and Notes may each act for Ada at the next server. */
async function connected(): Promise<Stage & { first: string; there: string; beyond: string }> {
  const on = await stage();
  const there = await on.allow(on.filesClient, on.notes, ['notes:read', 'archive:read']);
  const beyond = await on.allow(on.notesClient, on.archive, ['archive:read']);
  return { ...on, there, beyond, first: await on.agentToken() };
}

describe('token exchange', () => {
  test('[TEX-04] [TEX-05] the answer is a bearer token for the other server alone, without a refresh token, and ends with what it came from', async () => {
    const on = await connected();
    on.clock.advance(1000);

    const given = await on.exchanged(on.filesClient, on.first);

    assert.deepEqual(Object.keys(given).sort(), ['access_token', 'expires_in', 'issued_token_type', 'scope', 'token_type']);
    assert.equal(given.issued_token_type, accessTokenType);
    assert.equal(given.token_type, 'Bearer');
    assert.equal(given.scope, 'notes:read archive:read');
    assert.equal(given.expires_in, 2600);
    const [before, after] = [decodeJwt(on.first), decodeJwt(given.access_token)];
    assert.equal(after.exp, before.exp);
    assert.deepEqual([after.aud, after.sub, after['client_id'], after['auth_time']], [on.notes.resource, on.user.id, 'files-service', before['auth_time']]);
    assert.equal((await on.asked(on.mcp, given.access_token))['active'], false);
    assert.equal((await on.request('/userinfo', { headers: bearer(given.access_token) })).status, 401);
  });

  test('[TEX-06] [INT-04] who acts through whom is in the token and in introspection, the nearest first', async () => {
    const on = await connected();
    const second = await on.exchanged(on.filesClient, on.first);
    const third = await on.exchanged(on.notesClient, second.access_token, { resource: on.archive.resource });

    const act = { sub: 'files-service', act: { sub: on.client.id } };
    const answer = await on.asked(on.notes, second.access_token);
    assert.deepEqual([answer['active'], answer['sub'], answer['username'], answer['act']], [true, on.user.id, 'ada', act]);
    assert.deepEqual((await on.asked(on.archive, third.access_token))['act'], { sub: 'notes-service', act });
    assert.deepEqual(decodeJwt(third.access_token)['act'], { sub: 'notes-service', act });
    assert.equal('act' in (await on.asked(on.mcp, on.first)), false);
    const own = await on.post('/introspect', { token: second.access_token }, basic('files-service', secret));
    assert.deepEqual(((await own.json()) as Json)['act'], act);
  });

  test('[TEX-08] the end of any link ends every token behind it at the next introspection', async () => {
    const ends: Record<string, (on: Awaited<ReturnType<typeof connected>>, second: string) => Promise<unknown>> = {
      'the agent is disconnected': (on) => on.store.disconnectAgent(on.user.id, String(decodeJwt(on.first)['grant_id']), 'person', revoked(on)),
      'the agent ends its token': (on) => on.post('/revoke', { token: on.first, client_id: on.client.id }),
      'the token in between is ended': (on, second) => on.post('/revoke', { token: second }, basic('files-service', secret)),
      'the approval of the next server is ended': (on) => on.store.revokeGrant(on.there, 'person', revoked(on)),
      'the approval of the last server is ended': (on) => on.store.revokeGrant(on.beyond, 'person', revoked(on)),
      'the first server is removed': (on) => on.store.removeServer(on.mcp.id, auditEvent('server.removed', on.clock.now(), 'test')),
      'a client in between is removed': (on) => on.store.removeClient('files-service', auditEvent('client.removed', on.clock.now(), 'test')),
      'the person is disabled': (on) => on.store.setUserDisabled(on.user.id, true, auditEvent('user.disabled', on.clock.now(), 'test')),
    };
    for (const [what, end] of Object.entries(ends)) {
      const on = await connected();
      const second = await on.exchanged(on.filesClient, on.first);
      const third = await on.exchanged(on.notesClient, second.access_token, { resource: on.archive.resource });
      assert.equal((await on.asked(on.archive, third.access_token))['active'], true);

      await end(on, second.access_token);

      assert.deepEqual(await on.asked(on.archive, third.access_token), { active: false }, what);
      const again = await on.exchange(on.notesClient, second.access_token, { resource: on.archive.resource });
      assert.equal(again.status, 400, what);
    }
  });

  test('[TEX-05] an exchange ends no later than the approval it rests on', async () => {
    const on = await connected();
    const idHash = 'short';
    const grant = { ...(await on.store.findGrant(on.there)), id: 'grant_short', createdAt: on.clock.now() + 1, expiresAt: on.clock.now() + 90 };
    await on.store.parkRequest({ idHash, browserHash: 'b', request: { clientId: 'files-service' } as never, createdAt: 0, expiresAt: on.clock.now() + 9 });
    const code = {
      codeHash: 'c',
      grantId: 'grant_short',
      clientId: 'files-service',
      redirectUri: '',
      codeChallenge: '',
      authTime: 0,
      createdAt: 0,
      expiresAt: 1,
      failures: 0,
    };
    await on.store.approveRequest({ idHash, answer: '', grant: grant as Grant, code, now: on.clock.now() }, auditEvent('grant.approved', 0, 'test'));

    assert.equal((await on.exchanged(on.filesClient, on.first)).expires_in, 90);
  });

  test('[TEX-05] a second approval adds to what may be asked, and what was asked is all that is given', async () => {
    const on = await connected();
    assert.equal((await errorOf(await on.exchange(on.filesClient, on.first, { scope: 'notes:write' }))).error, 'invalid_target');
    on.clock.advance(1);
    await on.allow(on.filesClient, on.notes, ['notes:read', 'notes:write', 'notes:delete']);

    assert.equal((await on.exchanged(on.filesClient, on.first, { scope: 'notes:write' })).scope, 'notes:write');
    assert.equal((await on.exchanged(on.filesClient, on.first, { scope: 'archive:read' })).scope, 'archive:read');
    assert.equal((await errorOf(await on.exchange(on.filesClient, on.first, { scope: 'notes:delete' }))).error, 'invalid_scope');
  });

  test('[TEX-01] an actor token may say again who acts', async () => {
    const on = await connected();
    const machine = await on.store.findClient('files-service');
    await on.store.removeClient('files-service', auditEvent('client.removed', on.clock.now(), 'test'));
    const both = await on.addClient({
      ...machine,
      id: 'files-machine',
      secret,
      metadata: { ...machine?.metadata, grantTypes: [...(machine?.metadata.grantTypes ?? []), 'client_credentials'], scope: 'files:read' },
      defaultResource: on.mcp.resource,
    });
    await on.allow(both, on.notes, ['notes:read']);
    const own = (await (await on.post('/token', { grant_type: 'client_credentials' }, basic('files-machine', secret))).json()) as Json;
    const actor = { actor_token: String(own['access_token']), actor_token_type: accessTokenType };

    assert.equal((await on.exchange(both, on.first, actor)).status, 200);
    for (const actor_token of [on.first, 'x']) {
      const refused = await errorOf(await on.exchange(both, on.first, { ...actor, actor_token }));
      assert.deepEqual(refused, { status: 400, error: 'invalid_request', description: 'The actor token is not valid' });
    }
  });

  test('[TEX-07] what comes of a bound token is bound too, to the key of the client that acts now, or there is none', async () => {
    const on = await connected();
    const [agentKey, serverKey] = [await proofKey(), await proofKey()];
    const { code } = await on.code({ scope: filesScope });
    const bound = await on.post('/token', redemption(on.client, code), await proven(agentKey));
    const first = String(((await bound.json()) as Json)['access_token']);
    const asFiles = async (subject: string, headers: Record<string, string> = {}) =>
      on.post(
        '/token',
        { grant_type: exchangeGrant, subject_token: subject, subject_token_type: accessTokenType, resource: on.notes.resource },
        { ...basic('files-service', secret), ...headers },
      );

    assert.deepEqual((await errorOf(await asFiles(first))).error, 'invalid_dpop_proof');
    for (const subject of [first, on.first]) {
      const headers = await proven(serverKey);
      const given = (await (await asFiles(subject, headers)).json()) as Json;
      assert.equal(given['token_type'], 'DPoP');
      assert.deepEqual(decodeJwt(String(given['access_token']))['cnf'], { jkt: serverKey.jkt });
      assert.deepEqual((await errorOf(await asFiles(subject, headers))).error, 'invalid_dpop_proof');
    }
    const bearerToken = (await on.exchanged(on.filesClient, on.first)).token_type;
    assert.equal(bearerToken, 'Bearer');
  });

  test('one event tells of the first use of a way, with the whole chain, and use is noted at most once a minute', async () => {
    const on = await connected();
    const noted = async () => (await on.store.listDelegations(on.user.id, on.clock.now())).map(({ lastUsedAt }) => lastUsedAt);
    const start = on.clock.now();

    for (const wait of [0, 59, 1]) {
      on.clock.advance(wait);
      await on.exchanged(on.filesClient, on.first);
      assert.deepEqual(await noted(), [wait === 1 ? start + 60 : start]);
    }

    const events = await on.store.listEvents({ type: 'grant.delegated', limit: 10 });
    assert.equal(events.length, 1);
    assert.deepEqual(events[0]?.detail?.['chain'], ['files-service', on.client.id]);
    assert.equal(events[0]?.userId, on.user.id);
  });
});

describe('the approval of a person', () => {
  const approvalUrl = (on: Stage, more: Record<string, string> = {}) =>
    `${issuer}/authorize?${new URLSearchParams({
      response_type: 'code',
      client_id: 'files-service',
      redirect_uri: 'https://files-service.example.com/cb',
      code_challenge: pkce.challenge,
      code_challenge_method: 'S256',
      resource: on.notes.resource,
      scope: 'notes:read',
      state: 's',
      ...more,
    })}`;
  const withPassword = async () => {
    const on = await stage();
    const person = await on.addUser({ username: 'grace', password: 'correct horse battery' });
    return { ...on, person, login: { username: 'grace', password: 'correct horse battery' } as const };
  };

  test('[TEX-05] [CON-07] the person is asked at the authorization endpoint, sees the chain under connected agents, and ends it there', async () => {
    const on = await withPassword();
    const browser = openBrowser((url, init) => on.request(url, init), issuer);
    const agent = `${issuer}/authorize?${new URLSearchParams({
      ...Object.fromEntries(new URL(approvalUrl(on)).searchParams),
      client_id: on.client.id,
      redirect_uri: 'http://localhost:4711/callback',
      resource: on.mcp.resource,
      scope: filesScope.join(' '),
    })}`;
    const back = await signInAndDecide(agent, { ...on.login, decision: 'allow' }, { browser });
    const redeemed = await on.post('/token', {
      grant_type: 'authorization_code',
      client_id: on.client.id,
      code: new URL(back).searchParams.get('code') ?? '',
      code_verifier: pkce.verifier,
      redirect_uri: 'http://localhost:4711/callback',
    });
    const first = String(((await redeemed.json()) as Json)['access_token']);
    const refused = (await (await on.exchange(on.filesClient, first)).json()) as Json;
    assert.deepEqual([refused['error'], refused['code']], ['invalid_target', 'delegation_not_approved']);
    assert.match(String(refused['error_uri']), /\/docs\/errors\/delegation_not_approved$/);

    const question = await browser.open(approvalUrl(on));
    assert.match(question.html, /Allow “<bdi>Files service<\/bdi>”|Allow <bdi>Files service<\/bdi>/);
    assert.match(question.html, /acts only while an agent that you connected to “<bdi>My File Server<\/bdi>” uses it/);
    assert.match(question.html, /Until you disconnect it, 90 days at most/);
    const returned = await signInAndDecide(approvalUrl(on), { ...on.login, decision: 'allow' }, { browser });
    const given = await on.exchanged(on.filesClient, first);

    const agents = await browser.open('/account/agents');
    const card = agents.html.split('<li class="agent">').find((one) => one.includes('on <strong><bdi>Notes')) ?? '';
    assert.match(card, /Only through<\/dt><dd>.*Claude Code.*My File Server.*just now/s);
    const form = agents.forms.find(({ fields }) => fields.some(({ value }) => value === decodeJwt(given.access_token)['grant_id']));
    assert.ok(form);
    await browser.submit({ ...agents, forms: [form] });
    assert.deepEqual(await on.asked(on.notes, given.access_token), { active: false });
    assert.equal((await errorOf(await on.exchange(on.filesClient, first))).error, 'invalid_target');
    assert.equal((await on.asked(on.mcp, first))['active'], true);

    // The approval gives nothing by itself.
    const code = new URL(returned).searchParams.get('code') ?? '';
    const own = { grant_type: 'authorization_code', code, code_verifier: pkce.verifier, redirect_uri: 'https://files-service.example.com/cb' };
    assert.equal((await errorOf(await on.post('/token', own, basic('files-service', secret)))).error, 'unauthorized_client');
  });

  test('[TEX-05] no is no, and the approval of one person is not that of another', async () => {
    const on = await withPassword();
    const browser = openBrowser((url, init) => on.request(url, init), issuer);
    const denied = await signInAndDecide(approvalUrl(on), { ...on.login, decision: 'deny' }, { browser });
    assert.equal(new URL(denied).searchParams.get('error'), 'access_denied');
    await signInAndDecide(approvalUrl(on), { ...on.login, decision: 'allow' }, { browser });

    // The agent acts for Ada; Grace has approved.
    assert.equal((await errorOf(await on.exchange(on.filesClient, await on.agentToken()))).error, 'invalid_target');
  });

  test('an approval stays in sight for as long as it can be used', async () => {
    const on = await withPassword();
    const browser = openBrowser((url, init) => on.request(url, init), issuer);
    await signInAndDecide(approvalUrl(on), { ...on.login, decision: 'allow' }, { browser });
    assert.match((await browser.open('/account/agents')).html, /agents you connect to <bdi>My File Server<\/bdi>; none has used it/);
    const [grant] = await on.store.listGrants({ userId: on.person.id }, on.clock.now());
    assert.equal(grant?.expiresAt, on.clock.now() + 90 * 86400);

    on.clock.advance(89 * 86400);
    const later = openBrowser((url, init) => on.request(url, init), issuer);
    await later.submit(await later.open('/login'), on.login);
    assert.match((await later.open('/account/agents')).html, /Files service/);
    on.clock.advance(86400);
    await later.submit(await later.open('/login'), on.login);
    assert.doesNotMatch((await later.open('/account/agents')).html, /Files service/);
  });

  test('a client whose server is gone cannot ask', async () => {
    const on = await withPassword();
    await on.store.removeServer(on.mcp.id, auditEvent('server.removed', on.clock.now(), 'test'));
    const browser = openBrowser((url, init) => on.request(url, init), issuer);
    const back = await signInAndDecide(approvalUrl(on), { ...on.login, decision: 'allow' }, { browser });
    assert.equal(new URL(back).searchParams.get('error'), 'unauthorized_client');
  });
});

const revoked = ({ clock }: Stage) => auditEvent('grant.revoked', clock.now(), 'test');
