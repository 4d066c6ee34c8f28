/**
 * The word of trusted issuers instead of a code: identity assertions of companies (ID-JAG) and tokens of workloads, and the exact answer to each kind that is not
 * to be believed.
 */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { auditEvent } from '../../src/audit/event.ts';
import { FetchFailure } from '../../src/clients/fetch-failure.ts';
import { decodeJwt } from '../../src/crypto/jwt.ts';
import type { DocumentFetcher } from '../../src/options.ts';
import { proofKey, proven } from '../dpop.ts';
import { issuer, start } from '../harness.ts';
import { es256, forged, signer } from '../signer.ts';
import { cluster, company, goodClaims, grantType, resource, subject, type Trusting, trusting } from './jwt-bearer-stage.ts';
import { basic, errorOf, type Json } from './token-stage.ts';

const refused = { status: 400, error: 'invalid_grant', description: 'The assertion is not valid' };
const tokenOf = async (response: Response) => {
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as { access_token: string; scope: string } & Json;
};

test('[JAG-01] [JAG-05] [JAG-08] [JAG-10] an assertion of a trusted company brings a token for the linked person at the named server, and no refresh token', async () => {
  const { idJag, redeem, introspect, user } = await trusting();

  const answer = await tokenOf(await redeem(await idJag()));
  const claims = decodeJwt(answer.access_token)?.claims;
  const seen = await introspect(answer.access_token);

  assert.deepEqual([answer.token_type, answer.scope, answer.expires_in, 'refresh_token' in answer], ['Bearer', 'files:read files:write', 3600, false]);
  assert.deepEqual([claims?.sub, claims?.aud, claims?.client_id], [user.id, resource, 'agent']);
  assert.deepEqual([seen.active, seen.username], [true, 'ada']);
});

test('[JAG-08] [CON-07] the person sees the grant, one however many assertions, and ending it ends every token at once', async () => {
  const { idJag, redeem, introspect, store, user, clock } = await trusting();
  const first = await tokenOf(await redeem(await idJag({ scope: 'files:read' })));
  clock.advance(1800);
  const second = await tokenOf(await redeem(await idJag({ scope: 'files:write' })));

  const [agent, ...others] = await store.listAgents(user.id, clock.now());
  assert.deepEqual([agent?.clientId, agent?.resource, agent?.scope.toSorted(), others.length], ['agent', resource, ['files:read', 'files:write'], 0]);
  assert.equal(agent?.expiresAt, clock.now() + 3600);
  assert.deepEqual(JSON.parse(agent?.receipt ?? '{}').asserted_by, company);
  await store.disconnectAgent(user.id, agent?.id ?? '', 'person', auditEvent('grant.revoked', clock.now(), 'test'));
  for (const { access_token } of [first, second]) assert.deepEqual(await introspect(access_token), { active: false });
  assert.equal((await introspect((await tokenOf(await redeem(await idJag()))).access_token)).active, true);
});

test('[JAG-01] [JAG-02] [JAG-03] [JAG-04] [JAG-05] [JAG-06] [JAG-10] [JAG-11] whatever is wrong with an identity assertion, the answer is the same', async () => {
  const scene = await trusting();
  const { idJag, redeem, idp, platform } = scene;
  const stranger = signer('idp-1');
  const without = (name: string) => idJag({ [name]: undefined });
  const header = { alg: 'ES256', kid: 'idp-1', typ: 'oauth-id-jag+jwt' };
  const bad: [name: string, assertion: string][] = [
    ['no typ', await idJag({}, { typ: undefined })],
    ['typ of an ID token', await idJag({}, { typ: 'JWT' })],
    ['typ of an access token', await idJag({}, { typ: 'at+jwt' })],
    ['typ of a client assertion', await idJag({}, { typ: 'client-authentication+jwt' })],
    ...(await Promise.all(
      ['iss', 'sub', 'aud', 'client_id', 'resource', 'jti', 'iat', 'exp'].map(async (name): Promise<[string, string]> => [`no ${name}`, await without(name)]),
    )),
    ['an issuer nobody trusts', await idJag({ iss: 'https://other.example' })],
    ['an issuer of workloads', await platform.sign({ ...goodClaims(), iss: cluster }, { typ: header.typ })],
    ['our own issuer', await idJag({ iss: issuer })],
    ['signed by somebody else', await stranger.sign(goodClaims(), { typ: header.typ })],
    ['its own key in the header', forged({ ...header, kid: undefined, jwk: stranger.jwk }, goodClaims(), es256(stranger.privateKey))],
    ['the address of its own keys', forged({ ...header, kid: 'x', jku: 'https://evil.example/keys' }, goodClaims(), es256(stranger.privateKey))],
    ['alg none', forged({ ...header, alg: 'none' }, goodClaims())],
    ['HS256', forged({ ...header, alg: 'HS256' }, goodClaims(), (input) => createHmac('sha256', JSON.stringify(idp.jwk)).update(input).digest())],
    ['a critical header', forged({ ...header, crit: ['x'], x: 1 }, goodClaims(), es256(idp.privateKey))],
    ['for the token endpoint', await idJag({ aud: `${issuer}/token` })],
    ['for another server', await idJag({ aud: 'https://other.example' })],
    ['for us and another', await idJag({ aud: [issuer, 'https://other.example'] })],
    ['for a tenant', await idJag({ aud: `${issuer}/t/acme` })],
    ['for another client', await idJag({ client_id: 'machine' })],
    ['for a resource we do not have', await idJag({ resource: 'https://other.example/mcp' })],
    ['for ourselves as a resource', await idJag({ resource: issuer })],
    ['with a scope the resource does not have', await idJag({ scope: 'files:read admin:all' })],
    ['with a scope about the person', await idJag({ scope: 'openid' })],
    ['with scopes as an array', await idJag({ scope: ['files:read'] })],
    ['over', await idJag({ exp: start - 60 })],
    ['good for too long', await idJag({ exp: start + 661 })],
    ['from the future', await idJag({ iat: start + 61 })],
    ['long ago', await idJag({ iat: start - 661 })],
    ['not yet', await idJag({ nbf: start + 61 })],
    ['about nobody we know', await idJag({ sub: 'U-nobody' })],
    ['about somebody else, with the e-mail of one we know', await idJag({ sub: 'U-new', email: 'ada@example.com', email_verified: true })],
    ['bound to a key that is not proven', await idJag({ cnf: { jkt: 'x'.repeat(43) } })],
    ['bound to something unknown', await idJag({ cnf: 'x' })],
    ['longer than 16 KiB', await idJag({ padding: 'x'.repeat(16_384) })],
    ['no JWT', 'x.y.z'],
  ];

  for (const [name, assertion] of bad) assert.deepEqual(await errorOf(await redeem(assertion)), refused, name);
  assert.deepEqual(await scene.store.listAgents(scene.user.id, start), []);
});

test('[JAG-03] one audience in an array is one audience', async () => {
  const { idJag, redeem } = await trusting();

  assert.equal((await redeem(await idJag({ aud: [issuer] }))).status, 200);
});

test('[JAG-07] [D8] an assertion is good once, on all nodes and in parallel; refused for another reason it is not used up', async () => {
  const { idJag, redeem, clock } = await trusting();
  const assertion = await idJag();

  assert.equal((await errorOf(await redeem(assertion, { resource: 'https://other.example' }))).error, 'invalid_target');
  const statuses = (await Promise.all(Array.from({ length: 10 }, () => redeem(assertion)))).map(({ status }) => status);
  clock.advance(350);
  const late = await redeem(assertion);

  assert.deepEqual([statuses.filter((status) => status === 200).length, statuses.filter((status) => status === 400).length], [1, 9]);
  assert.deepEqual(await errorOf(late), refused);
});

test('[JAG-04] without the secret of its client an assertion is worth nothing, and public clients bring none', async () => {
  const { idJag, redeem, post, addClient } = await trusting();
  await addClient({ id: 'open', metadata: { grantTypes: [grantType], redirectUris: [] } });
  await addClient({ id: 'plain', secret: 'cs_plain' });

  assert.deepEqual((await errorOf(await post('/token', { grant_type: grantType, assertion: await idJag() }))).error, 'invalid_client');
  assert.deepEqual((await errorOf(await redeem(await idJag(), {}, basic('agent', 'wrong')))).status, 401);
  const open = await errorOf(await post('/token', { grant_type: grantType, client_id: 'open', assertion: await idJag({ client_id: 'open' }) }));
  assert.deepEqual([open.status, open.error], [400, 'unauthorized_client']);
  const plain = await errorOf(await redeem(await idJag({ client_id: 'plain' }), {}, basic('plain', 'cs_plain')));
  assert.deepEqual([plain.status, plain.error], [400, 'unauthorized_client']);
  const nothing = await errorOf(await post('/token', { grant_type: grantType }, basic('agent', 'cs_agent')));
  assert.deepEqual([nothing.status, nothing.error], [400, 'invalid_request']);
});

test('[JAG-05] the request may repeat the resource and choose fewer scopes, never another resource or more', async () => {
  const { idJag, redeem } = await trusting();

  assert.equal((await tokenOf(await redeem(await idJag(), { resource, scope: 'files:read' }))).scope, 'files:read');
  assert.equal((await tokenOf(await redeem(await idJag({ scope: 'files:read' }), { scope: 'files:read files:delete' }))).scope, 'files:read');
  assert.equal((await tokenOf(await redeem(await idJag({ scope: undefined })))).scope, 'files:read', 'the default scopes of the server');
  assert.equal((await errorOf(await redeem(await idJag({ scope: 'files:read' }), { scope: 'files:delete' }))).error, 'invalid_scope');
});

test('[JAG-09] [DPA-01] an assertion bound to a key needs the proof of that key, and any proof binds the token', async () => {
  const { idJag, redeem } = await trusting();
  const [key, other] = [await proofKey(), await proofKey()];
  const send = async (claims: Json, by?: typeof key) =>
    redeem(await idJag(claims), {}, { ...basic('agent', 'cs_agent'), ...(by ? await proven(by) : {}) } as Record<string, string>);

  const bound = await tokenOf(await send({ cnf: { jkt: key.jkt } }, key));
  const free = await tokenOf(await send({}, key));

  for (const { token_type, access_token } of [bound, free]) assert.deepEqual([token_type, decodeJwt(access_token)?.claims.cnf], ['DPoP', { jkt: key.jkt }]);
  assert.deepEqual(await errorOf(await send({ cnf: { jkt: key.jkt } }, other)), refused);
  assert.deepEqual(await errorOf(await send({ cnf: { jkt: key.jkt } })), refused);
});

test('[JAG-10] where the operator says so a new person is made, once, by issuer and subject, without the e-mail that was said', async () => {
  const { idJag, trust, redeem, store, idp } = await trusting();
  await trust({ issuer: 'https://new.example', provisioning: 'create', jwks: { keys: [idp.jwk] } });
  const people = (await store.listUsers()).length;
  const say = (claims: Json) => idJag({ iss: 'https://new.example', sub: 'N1', email: 'ada@example.com', name: 'Grace\u202E Hopper', ...claims });

  const subjects = await Promise.all(
    Array.from({ length: 5 }, async () => decodeJwt((await tokenOf(await redeem(await say({})))).access_token)?.claims.sub as string),
  );

  assert.equal(new Set(subjects).size, 1);
  const made = await store.findUser(subjects[0] ?? '');
  assert.deepEqual([made?.name, made?.email, (await store.listUsers()).length], ['Grace Hopper', undefined, people + 1]);
  await store.setUserDisabled(made?.id ?? '', true, auditEvent('user.disabled', start, 'test'));
  assert.deepEqual(await errorOf(await redeem(await say({}))), refused);
});

test('[JAG-10] the same subject of another company is another person, and a removed company is believed nothing', async () => {
  const { idJag, trust, redeem, introspect, store, clock, idp } = await trusting();
  await trust({ issuer: 'https://other-idp.example', jwks: { keys: [idp.jwk] } });
  assert.deepEqual(await errorOf(await redeem(await idJag({ iss: 'https://other-idp.example' }))), refused);
  const { access_token: token } = await tokenOf(await redeem(await idJag()));

  await store.removeIssuer(company, auditEvent('issuer.removed', clock.now(), 'test'));

  assert.deepEqual(await errorOf(await redeem(await idJag())), refused);
  assert.deepEqual(await introspect(token), { active: false });
});

test('[JAG-06] keys are found through the metadata of the issuer, followed when they change, and only where an operator trusts', async () => {
  const [first, next] = [signer('a'), signer('b')];
  const asked: string[] = [];
  let keys = [first.jwk];
  const said: Record<string, () => unknown> = {
    'https://new.example/realm/.well-known/openid-configuration': () => ({ issuer: 'https://new.example/realm', jwks_uri: 'https://keys.example/jwks' }),
    'https://liar.example/.well-known/openid-configuration': () => ({ issuer: 'https://new.example/realm', jwks_uri: 'https://keys.example/jwks' }),
    'https://keys.example/jwks': () => ({ keys }),
  };
  const fetchDocument: DocumentFetcher = async (url) => {
    asked.push(url);
    return { status: url in said ? 200 : 404, headers: {}, body: new TextEncoder().encode(JSON.stringify(said[url]?.() ?? {})) };
  };
  const { trust, redeem, clock } = await trusting({ fetchDocument });
  for (const name of ['https://new.example/realm', 'https://liar.example']) await trust({ issuer: name, provisioning: 'create' });
  const say = (key: typeof first, iss: string) => key.sign({ ...goodClaims(clock.now()), iss }, { typ: 'oauth-id-jag+jwt' });

  assert.equal((await redeem(await say(first, 'https://new.example/realm'))).status, 200);
  keys = [first.jwk, next.jwk];
  clock.advance(60);
  assert.equal((await redeem(await say(next, 'https://new.example/realm'))).status, 200);
  assert.deepEqual(await errorOf(await redeem(await say(first, 'https://liar.example'))), refused);
  const before = asked.length;
  assert.deepEqual(await errorOf(await redeem(await say(first, 'https://stranger.example'))), refused);
  assert.equal(asked.length, before);
});

test('[JAG-06] [CA-10] an issuer whose metadata cannot be had is asked once a minute, however many tokens name it', async () => {
  const asked: string[] = [];
  const fetchDocument: DocumentFetcher = async (url) => {
    asked.push(url);
    return { status: 503, headers: {}, body: new Uint8Array() };
  };
  const { trust, redeem, clock } = await trusting({ fetchDocument });
  await trust({ issuer: 'https://down.example', provisioning: 'create' });
  const send = async () =>
    (await redeem(await signer('a').sign({ ...goodClaims(clock.now()), iss: 'https://down.example' }, { typ: 'oauth-id-jag+jwt' }))).status;

  assert.deepEqual(await Promise.all([send(), send(), send()]), [400, 400, 400]);
  assert.equal(await send(), 400);
  const once = asked.length;
  clock.advance(60);
  await send();

  assert.equal(asked.length, 2 * once);
  assert.equal(new Set(asked).size, once);
});

test('[JAG-06] [CA-10] no more than fifty requests wait for one slow issuer, and the others are told to come back', async () => {
  const slow = Promise.withResolvers<never>();
  slow.promise.catch(() => undefined);
  const { trust, redeem, clock } = await trusting({ fetchDocument: () => slow.promise });
  await trust({ issuer: 'https://slow.example', provisioning: 'create' });
  const assertion = await signer('a').sign({ ...goodClaims(clock.now()), iss: 'https://slow.example' }, { typ: 'oauth-id-jag+jwt' });

  const sent = Array.from({ length: 53 }, () => redeem(assertion));
  const answered = await Promise.race(sent);
  assert.deepEqual([answered.status, answered.headers.get('retry-after')], [503, '5']);
  slow.reject(new FetchFailure('timeout', 'at last'));

  const statuses = (await Promise.all(sent)).map(({ status }) => status);
  assert.deepEqual([statuses.filter((status) => status === 503).length, statuses.filter((status) => status === 400).length], [3, 50]);
});

test('[JAG-13] [CC-03] a workload shows the token of its platform, again and again until it ends, and acts as the client of its subject', async () => {
  const { workloadToken, enter, introspect } = await trusting();
  const assertion = await workloadToken();

  const answer = await tokenOf(await enter(assertion));
  const again = await tokenOf(await enter(assertion, { client_id: 'nightly', resource, scope: 'files:read' }));

  assert.deepEqual([answer.scope, answer.token_type, 'refresh_token' in answer], ['files:read', 'Bearer', false]);
  for (const { access_token } of [answer, again]) {
    const seen = await introspect(access_token);
    assert.deepEqual([seen.active, seen.sub, seen.client_id, 'username' in seen], [true, 'nightly', 'nightly', false]);
  }
});

test('[JAG-13] [JAG-06] a workload token that is not to be believed is invalid_grant, and nobody is let in', async () => {
  const { workloadToken, idJag, idp } = await trusting();
  const stranger = signer('platform-1', 'RS256');
  const good = { iss: cluster, sub: subject, aud: issuer, iat: start, exp: start + 3600 };
  const bad: [name: string, assertion: string][] = [
    ['another subject', await workloadToken({ sub: 'system:serviceaccount:agents:other' })],
    ['a subject that only begins alike', await workloadToken({ sub: `${subject}-2` })],
    ['no subject', await workloadToken({ sub: undefined })],
    ['another audience', await workloadToken({ aud: 'https://kubernetes.default.svc' })],
    ['two audiences', await workloadToken({ aud: [issuer, 'https://kubernetes.default.svc'] })],
    ['the token endpoint as audience', await workloadToken({ aud: `${issuer}/token` })],
    ['without an end', await workloadToken({ exp: undefined })],
    ['over', await workloadToken({ exp: start - 60 })],
    ['for years', await workloadToken({ exp: start + 400 * 86_400 })],
    ['typ of an access token', await workloadToken({}, { typ: 'at+jwt' })],
    ['of an issuer of people', await idp.sign({ ...good, iss: company })],
    ['of nobody we trust', await workloadToken({ iss: 'https://other.example' })],
    ['signed by somebody else', await stranger.sign(good)],
    ['alg none', forged({ alg: 'none' }, good)],
    ['an ID token of ours', await workloadToken({ iss: issuer })],
    ['no JWT', 'hello'],
  ];

  for (const [name, assertion] of bad) {
    const { enter } = await trusting();
    assert.deepEqual(await errorOf(await enter(assertion)), refused, name);
  }
  assert.ok(await idJag());
});

test('[JAG-13] a client_id beside it must be the one of the workload, a wider scope is refused, and guessing is slowed down', async () => {
  const { workloadToken, enter } = await trusting();

  assert.deepEqual(await errorOf(await enter(await workloadToken(), { client_id: 'agent' })), refused);
  assert.equal((await errorOf(await enter(await workloadToken(), { scope: 'files:write' }))).error, 'invalid_scope');
  const wrong = await workloadToken({ sub: 'guess' });
  const statuses: number[] = [];
  for (let guess = 0; guess < 4; guess++) statuses.push((await enter(wrong)).status);
  assert.deepEqual(statuses, [400, 400, 400, 429]);
});

test('[JAG-13] the longest beginning names the client, an exact subject first, and a platform may be told once', async () => {
  const scene = await trusting();
  const { store, clock, addClient, workloadToken, trust, platform } = scene;
  const event = () => auditEvent('workload.added', clock.now(), 'test');
  for (const id of ['wide', 'narrow', 'exact'])
    await addClient({ id, defaultResource: resource, metadata: { grantTypes: [grantType], redirectUris: [], scope: 'files:read' } });
  await store.addWorkload({ issuer: cluster, subject: 'repo:acme/*', clientId: 'wide' }, event());
  await store.addWorkload({ issuer: cluster, subject: 'repo:acme/tools:*', clientId: 'narrow' }, event());
  await store.addWorkload({ issuer: cluster, subject: 'repo:acme/tools:main', clientId: 'exact' }, event());
  const clientOf = async (sub: string) => decodeJwt((await tokenOf(await scene.enter(await workloadToken({ sub })))).access_token)?.claims.client_id;

  assert.deepEqual(
    [await clientOf('repo:acme/x:main'), await clientOf('repo:acme/tools:dev'), await clientOf('repo:acme/tools:main')],
    ['wide', 'narrow', 'exact'],
  );
  assert.deepEqual(await errorOf(await scene.enter(await workloadToken({ sub: 'repo:acme' }))), refused);
  await trust({ issuer: 'https://ci.example', kind: 'workload', provisioning: undefined, once: true, jwks: { keys: [platform.jwk] } });
  await store.addWorkload({ issuer: 'https://ci.example', subject: 'job', clientId: 'wide' }, event());
  const once = await workloadToken({ iss: 'https://ci.example', sub: 'job' });
  assert.equal((await scene.enter(once)).status, 200);
  assert.deepEqual(await errorOf(await scene.enter(once)), refused);
  assert.deepEqual(await errorOf(await scene.enter(await workloadToken({ iss: 'https://ci.example', sub: 'job', jti: undefined }))), refused);
});

test('[JAG-13] a token that is good once is not used up by a request that is refused, or that is told a nonce', async () => {
  const scene = await trusting({ dpopNonces: true });
  const ci = { iss: 'https://ci.example', sub: 'job' };
  await scene.trust({ issuer: ci.iss, kind: 'workload', provisioning: undefined, once: true, jwks: { keys: [scene.platform.jwk] } });
  await scene.store.addWorkload({ issuer: ci.iss, subject: ci.sub, clientId: 'nightly' }, auditEvent('workload.added', start, 'test'));
  const [assertion, key] = [await scene.workloadToken(ci), await proofKey()];
  const send = async (more: Record<string, string>, proof: Awaited<ReturnType<typeof proven>> | object = {}) =>
    scene.post('/token', { grant_type: grantType, assertion, ...more }, proof as Record<string, string>);

  assert.equal((await errorOf(await send({ scope: 'files:write' }))).error, 'invalid_scope');
  assert.equal((await errorOf(await send({ resource: 'https://unknown.example' }))).error, 'invalid_target');
  const told = await send({}, await proven(key));
  assert.equal((await errorOf(told.clone())).error, 'use_dpop_nonce');
  const nonce = told.headers.get('dpop-nonce') ?? '';

  assert.equal((await tokenOf(await send({}, await proven(key, { nonce })))).token_type, 'DPoP');
  assert.deepEqual(await errorOf(await send({}, await proven(key, { nonce }))), refused);
});

test('[JAG-06] [TOK-05] whatever an assertion is made of, it is refused and never a 5xx', async () => {
  const scene = await trusting();
  const names = fc.constantFrom('iss', 'sub', 'aud', 'exp', 'iat', 'nbf', 'jti', 'client_id', 'resource', 'scope', 'cnf', 'auth_time', '__proto__');
  const values = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom(company, cluster, issuer, resource, 'agent', start, start + 300));
  const claims = fc.array(fc.tuple(names, values), { maxLength: 8 }).map((pairs) => ({ ...goodClaims(), ...Object.fromEntries(pairs) }));
  const header = fc.record({
    alg: fc.constantFrom('none', 'ES256', 'HS256', 'RS256'),
    typ: fc.constantFrom('oauth-id-jag+jwt', 'JWT', '', 1, true, null, ['JWT'], {}, undefined),
    kid: fc.constantFrom('idp-1', 'x', 7, null, {}),
  });
  const token = fc.oneof(
    fc.tuple(header, claims).map(([top, body]) => forged(top, body)),
    fc.string({ unit: 'binary', maxLength: 80 }),
  );
  let address = 0;

  await fc.assert(
    fc.asyncProperty(token, fc.boolean(), async (assertion, authenticated) => {
      const response = await scene.request('/token', {
        method: 'POST',
        body: new URLSearchParams({ grant_type: grantType, assertion }).toString(),
        headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...(authenticated ? basic('agent', 'cs_agent') : {}) },
        address: `10.2.${address >> 8}.${address++ & 255}`,
      });
      assert.ok([400, 401].includes(response.status), String(response.status));
    }),
    { numRuns: 300 },
  );
});

test('[JAG-02] [JAG-05] [TOK-05] of signed claims in any mixture, only those that name us, the client, the person and the server bring a token', async () => {
  const scene = await trusting();
  const one = <T>(right: T, ...wrong: unknown[]) =>
    fc.oneof({ weight: 4, arbitrary: fc.constant<unknown>(right) }, { weight: 1, arbitrary: fc.constantFrom(...wrong) });
  const mixture = fc.record({
    aud: one(issuer, 'https://other.example', [issuer, 'x'], undefined),
    client_id: one('agent', 'nightly', undefined, ['agent']),
    sub: one('U019488227', 'u019488227', '', 7),
    resource: one(resource, `${resource}/`, issuer, undefined),
    exp: one(start + 300, start - 61, start + 3600, '9999999999'),
  });
  const right = { aud: issuer, client_id: 'agent', sub: 'U019488227', resource, exp: start + 300 };

  await fc.assert(
    fc.asyncProperty(mixture, async (claims) => {
      const isGood = Object.entries(right).every(([name, value]) => claims[name as keyof typeof right] === value);
      const { status } = await scene.redeem(await (scene as Trusting).idJag(claims));
      assert.equal(status, isGood ? 200 : 400);
    }),
    { numRuns: 150 },
  );
});
