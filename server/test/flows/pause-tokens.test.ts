/**
 * What tokens hear of a pause and of a reduction: at introspection, at refresh, along chains, for machines and on the word of a company.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeJwt } from 'jose';
import { cardsOf } from '../../src/account/agent-cards.ts';
import { auditEvent, type EventType } from '../../src/audit/event.ts';
import { stage as exchangeStage } from './exchange-stage.ts';
import { trusting } from './jwt-bearer-stage.ts';
import { basic, bearer, errorOf, type Json, type Stage, stage, type Tokens } from './token-stage.ts';

const grantOf = (token: string) => String(decodeJwt(token)['grant_id']);
const event = (on: Stage, type: EventType) => auditEvent(type, on.clock.now(), 'test', { userId: on.user.id });
const pause = (on: Stage, token: string) => on.store.pauseAgent(on.user.id, grantOf(token), event(on, 'grant.paused'));
const resume = (on: Stage, token: string) => on.store.resumeAgent(on.user.id, grantOf(token), event(on, 'grant.resumed'));
const take = (on: Stage, token: string, remove: string[], expiresAt?: number) =>
  on.store.reduceAgent({ userId: on.user.id, grantId: grantOf(token), remove, expiresAt }, event(on, 'grant.reduced'));
const paused = {
  status: 400,
  error: 'access_denied',
  description: 'The person or the operator has paused this agent; its tokens are good again when they resume it',
};

describe('a paused agent', () => {
  test('[ACC-01] is inactive at the next introspection, keeps its refresh token, and goes on with it after a pause of hours', async () => {
    const on = await stage();
    const first = await on.tokens();
    await pause(on, first.access_token);

    assert.deepEqual(await on.introspect(first.access_token), { active: false });
    const refused = await on.refresh(first.refresh_token);
    assert.equal(((await refused.clone().json()) as Json)['code'], 'grant_paused');
    assert.deepEqual(await errorOf(refused), paused);
    on.clock.advance(7200);
    assert.deepEqual(await errorOf(await on.refresh(first.refresh_token)), paused);

    await resume(on, first.access_token);
    const again = (await (await on.refresh(first.refresh_token)).json()) as Tokens;
    assert.equal((await on.introspect(again.access_token))['active'], true);
    assert.equal((await errorOf(await on.refresh('rt_wrong'))).error, 'invalid_grant');
  });

  test('[ACC-01] an access token from before the pause is good again after it, until it ends', async () => {
    const on = await stage();
    const { access_token: token } = await on.tokens({ scope: ['openid', 'files:read'] });
    await on.store.pauseAllAgents(on.user.id, event(on, 'grant.paused'));

    assert.deepEqual(await on.introspect(token), { active: false });
    assert.equal((await on.request('/userinfo', { headers: bearer(token) })).status, 401);
    await on.store.resumeAllAgents(on.user.id, event(on, 'grant.resumed'));
    assert.equal((await on.introspect(token))['active'], true);
    assert.equal((await on.request('/userinfo', { headers: bearer(token) })).status, 200);
  });

  test('[ACC-01] a code that waits is neither redeemed nor spent', async () => {
    const on = await stage();
    const { code, grant } = await on.code();
    await on.store.pauseAgent(on.user.id, grant.id, event(on, 'grant.paused'));
    const redeem = () =>
      on.post('/token', { grant_type: 'authorization_code', client_id: on.client.id, code, code_verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk' });

    assert.deepEqual(await errorOf(await redeem()), paused);
    await on.store.resumeAgent(on.user.id, grant.id, event(on, 'grant.resumed'));
    assert.equal((await redeem()).status, 200);
  });

  test('[ACC-01] [TEX-08] a pause of any link stops the whole chain, and resuming mends it', async () => {
    const on = await exchangeStage();
    await on.allow(on.filesClient, on.notes, ['notes:read', 'archive:read']);
    const first = await on.agentToken();
    const second = (await on.exchanged(on.filesClient, first)).access_token;

    for (const link of [first, second]) {
      await pause(on, link);
      assert.deepEqual(await on.asked(on.notes, second), { active: false });
      assert.equal((await on.exchange(on.filesClient, first)).status, 400);
      await resume(on, link);
      assert.equal((await on.asked(on.notes, second))['active'], true);
    }
  });

  test('[ACC-01] a machine that an operator holds gets no token until the hold is lifted', async () => {
    const on = await stage();
    const metadata = { grantTypes: ['client_credentials'], scope: 'files:read', redirectUris: [] };
    await on.addClient({ id: 'machine', defaultResource: on.mcp.resource, metadata, secret: 'cs_secret' });
    const ask = () => on.post('/token', { grant_type: 'client_credentials' }, basic('machine', 'cs_secret'));
    const { access_token: token } = (await (await ask()).json()) as Tokens;
    await on.store.placeHold({ id: 'inc_1', clientId: 'machine', createdAt: on.clock.now() }, event(on, 'grant.paused'));

    assert.deepEqual(await on.introspect(token), { active: false });
    assert.deepEqual(await errorOf(await ask()), paused);
    await on.store.liftHold('inc_1', event(on, 'grant.resumed'));
    assert.equal((await ask()).status, 200);
    assert.equal((await on.introspect(token))['active'], true);
  });

  test('[ACC-01] the word of a company does not wake it', async () => {
    const on = await trusting();
    const { access_token: token } = (await (await on.redeem(await on.idJag())).json()) as Tokens;
    await on.store.pauseAllAgents(on.user.id, event(on, 'grant.paused'));

    assert.deepEqual(await errorOf(await on.redeem(await on.idJag())), paused);
    await on.store.resumeAllAgents(on.user.id, event(on, 'grant.resumed'));
    await take(on, token, ['files:write']);
    const less = (await (await on.redeem(await on.idJag())).json()) as Tokens;
    assert.equal(less.scope, 'files:read');
  });

  test('[ACC-01] [ACC-02] nor does it after hours of silence, nothing of it is spent, and what was taken back stays taken', async () => {
    const on = await trusting();
    const { access_token: token } = (await (await on.redeem(await on.idJag())).json()) as Tokens;
    await take(on, token, ['files:write']);
    await pause(on, token);
    on.clock.advance(4 * 3600);
    const word = await on.idJag();

    assert.deepEqual(await errorOf(await on.redeem(word)), paused);
    const [card] = await cardsOf(on.user.id, on.context);
    assert.deepEqual([card?.id, card?.endsAt], [grantOf(token), undefined]);
    await resume(on, token);
    const again = (await (await on.redeem(word)).json()) as Tokens;
    assert.deepEqual([again.scope, grantOf(again.access_token)], ['files:read', grantOf(token)]);
    assert.equal((await on.introspect(again.access_token))['active'], true);
    assert.equal((await errorOf(await on.redeem(word))).error, 'invalid_grant');
  });
});

describe('a reduced agent', () => {
  test('[ACC-02] has less at the next introspection, also with the token it has, and at the next refresh', async () => {
    const on = await stage();
    const first = await on.tokens({ scope: ['files:read', 'files:write', 'files:delete'] });
    await take(on, first.access_token, ['files:delete']);

    const answer = await on.introspect(first.access_token);
    assert.deepEqual([answer['active'], answer['scope']], [true, 'files:read files:write']);
    const second = (await (await on.refresh(first.refresh_token)).json()) as Tokens;
    assert.equal(second.scope, 'files:read files:write');
    assert.equal(decodeJwt(second.access_token)['scope'], 'files:read files:write');
  });

  test('[ACC-02] asking for what was taken back is no error while something is left, and gives nothing back', async () => {
    const on = await stage();
    const first = await on.tokens({ scope: ['files:read', 'files:write'] });
    await take(on, first.access_token, ['files:write']);

    const second = (await (await on.refresh(first.refresh_token, { scope: 'files:read files:write' })).json()) as Tokens;
    assert.equal(second.scope, 'files:read');
    for (const scope of ['files:write', 'files:read files:delete'])
      assert.equal((await errorOf(await on.refresh(second.refresh_token, { scope }))).error, 'invalid_scope', scope);
  });

  test('[ACC-02] access that was shortened ends on time, with its tokens', async () => {
    const on = await stage();
    const first = await on.tokens();
    await take(on, first.access_token, [], on.clock.now() + 600);
    const second = (await (await on.refresh(first.refresh_token)).json()) as Tokens;

    assert.equal(second.expires_in, 600);
    on.clock.advance(601);
    assert.deepEqual(await on.introspect(first.access_token), { active: false });
    assert.equal((await errorOf(await on.refresh(second.refresh_token))).error, 'invalid_grant');
  });

  test('[ACC-02] userinfo no longer tells what may no longer be known', async () => {
    const on = await stage();
    const { access_token: token } = await on.tokens({ scope: ['openid', 'profile', 'email'] });
    await take(on, token, ['email']);

    const claims = (await (await on.request('/userinfo', { headers: bearer(token) })).json()) as Json;
    assert.deepEqual([claims['name'], claims['email']], ['Ada Lovelace', undefined]);
  });

  test('[ACC-02] what was taken from the first link is gone from tokens that came of it, and cannot be exchanged any more', async () => {
    const on = await exchangeStage();
    await on.allow(on.filesClient, on.notes, ['notes:read', 'archive:read']);
    const first = await on.agentToken();
    const second = (await on.exchanged(on.filesClient, first)).access_token;
    await take(on, first, ['archive:read']);

    assert.equal((await on.asked(on.notes, second))['scope'], 'notes:read');
    assert.equal((await on.exchanged(on.filesClient, first)).scope, 'notes:read');
    assert.equal((await errorOf(await on.exchange(on.filesClient, first, { scope: 'archive:read' }))).error, 'invalid_scope');
  });
});
