import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeJwt } from 'jose';
import { auditEvent } from '../../src/audit/event.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { MAX_CODE_FAILURES } from '../../src/storage/store.ts';
import { type ProofKey, type ProofOptions, proof, proofKey, proven, tokenUrl } from '../dpop.ts';
import { issuer, start } from '../harness.ts';
import { basic, errorOf, type Json, redemption, type Stage, stage, type Tokens } from './token-stage.ts';

const notValid = (reason: string) => ({ status: 400, error: 'invalid_dpop_proof', description: `The DPoP proof is not valid: ${reason}` });

test('[DPA-02] [JWT-06] [TOK-11] [D9] a proof makes a bound token of type DPoP, no proof a Bearer token', async () => {
  const scene = await stage();
  const key = await proofKey();

  const bound = await redeem(scene, await proven(key));
  const bare = await redeem(scene);

  assert.equal(bound.token_type, 'DPoP');
  assert.deepEqual(decodeJwt(bound.access_token).cnf, { jkt: key.jkt });
  const answer = await scene.introspect(bound.access_token);
  assert.deepEqual([answer.active, answer.token_type, answer.cnf], [true, 'DPoP', { jkt: key.jkt }]);
  assert.equal(bare.token_type, 'Bearer');
  assert.equal('cnf' in decodeJwt(bare.access_token), false);
  assert.deepEqual([(await scene.introspect(bare.access_token)).token_type, 'cnf' in (await scene.introspect(bare.access_token))], ['Bearer', false]);
});

test('[DPA-02] every grant binds: the code, the refresh token, the machine', async () => {
  const scene = await stage();
  const key = await proofKey();
  const machine = await machineClient(scene);

  const first = await redeem(scene, await proven(key));
  const refreshed = await refresh(scene, first.refresh_token, await proven(key));
  const own = (await (await asMachine(scene, machine, await proven(key))).json()) as Tokens;

  for (const { access_token, token_type } of [first, refreshed, own]) assert.deepEqual([token_type, decodeJwt(access_token).cnf], ['DPoP', { jkt: key.jkt }]);
});

test('[DPA-02] a client registered for bound tokens gets none without a proof, and its code stays good', async () => {
  const scene = await stage();
  const key = await proofKey();
  const client = await scene.addClient({ metadata: { dpopBoundAccessTokens: true } });
  const { code } = await scene.code({ client });

  const without = await errorOf(await scene.post('/token', redemption(client, code)));
  const withProof = await scene.post('/token', redemption(client, code), await proven(key));

  assert.deepEqual([without.status, without.error], [400, 'invalid_dpop_proof']);
  assert.equal(((await withProof.json()) as Tokens).token_type, 'DPoP');
});

test('[DPA-02] registration keeps dpop_bound_access_tokens, and refuses what is neither true nor false', async () => {
  const scene = await stage();
  const register = (member: Json) =>
    scene.request('/register', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ redirect_uris: ['http://localhost/callback'], token_endpoint_auth_method: 'none', ...member }),
    });

  const bound = (await (await register({ dpop_bound_access_tokens: true })).json()) as Json;
  const free = (await (await register({ dpop_bound_access_tokens: false })).json()) as Json;
  const odd = await register({ dpop_bound_access_tokens: 'true' });

  assert.equal(bound.dpop_bound_access_tokens, true);
  assert.equal((await scene.store.findClient(String(bound.client_id)))?.metadata.dpopBoundAccessTokens, true);
  assert.equal('dpop_bound_access_tokens' in free, false);
  assert.deepEqual(await errorOf(odd), { status: 400, error: 'invalid_client_metadata', description: 'dpop_bound_access_tokens must be true or false' });
});

test('[DPA-01] each wrong proof is invalid_dpop_proof with its reason, and leaves the code good', async () => {
  const scene = await stage();
  const key = await proofKey();
  const other = await proofKey();
  const { code } = await scene.code();
  const wrong: [string, ProofOptions][] = [
    ['its typ is not dpop+jwt', { header: { typ: 'JWT' } }],
    ['its alg is not offered', { header: { alg: 'ES256K' } }],
    ['its jwk is not a public key', { header: { jwk: undefined } }],
    ['its jwk is not a public key', { header: { jwk: { kty: 'oct', k: 'AAAA' } } }],
    ['its signature does not verify under its jwk', { header: { jwk: other.jwk } }],
    ['its htm is another method', { htm: 'GET' }],
    ['its htu is another address', { htu: `${issuer}/userinfo` }],
    ['its htu is another address', { htu: 'https://evil.example/token' }],
    ['its iat is not near the present time', { iat: start - 301 }],
    ['its iat is not near the present time', { iat: start + 301 }],
    ['its jti is not a string of 1 to 128 bytes', { claims: { jti: undefined } }],
    ['its jti is not a string of 1 to 128 bytes', { claims: { jti: 'x'.repeat(129) } }],
    ['its nonce is not a string', { claims: { nonce: 7 } }],
  ];

  for (const [reason, options] of wrong) {
    const header = options.header?.alg ? { DPoP: reheaded(await proof(key), { ...options.header, jwk: key.jwk }) } : await proven(key, options);
    assert.deepEqual(await errorOf(await scene.post('/token', redemption(scene.client, code), header)), notValid(reason));
  }
  const two = `${await proof(key)}, ${await proof(key)}`;
  for (const text of [two, 'nonsense', '']) {
    assert.deepEqual(await errorOf(await scene.post('/token', redemption(scene.client, code), { DPoP: text })), notValid('it is not one compact JWT'));
  }
  assert.equal((await scene.post('/token', redemption(scene.client, code), await proven(key))).status, 200);
});

test('[DPA-08] htu is compared with the configured address, whatever Host says, at both spellings of the endpoint and in tenants', async () => {
  const scene = await stage();
  const key = await proofKey();
  const at = async (url: string, htu: string) => {
    const { code } = await scene.code();
    const body = new URLSearchParams(redemption(scene.client, code)).toString();
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded', ...(await proven(key, { htu })) };
    return (await scene.request(url, { method: 'POST', body, headers })).status;
  };

  assert.equal(await at('http://10.0.0.7:8080/token', tokenUrl), 200);
  assert.equal(await at('http://10.0.0.7:8080/token', 'http://10.0.0.7:8080/token'), 400);
  assert.equal(await at('/token', `${tokenUrl}?x=y`), 200);
  assert.equal(await at('/oauth/token', `${issuer}/oauth/token`), 200);
  assert.equal(await at('/oauth/token', tokenUrl), 400);
  const machine = await machineClient(scene);
  const tenant = await tenantOf(scene, machine);
  assert.equal((await errorOf(await asMachine(scene, machine, await proven(key), tenant))).error, 'invalid_dpop_proof');
  assert.equal((await errorOf(await asMachine(scene, machine, await proven(key, { htu: tenant }), tenant))).error, 'invalid_target');
});

test('[DPA-06] a proof is used once, at one address, until its time is over', async () => {
  const scene = await stage();
  const key = await proofKey();
  const machine = await machineClient(scene);
  const header = await proven(key);

  assert.equal((await asMachine(scene, machine, header)).status, 200);
  assert.deepEqual(await errorOf(await asMachine(scene, machine, header)), notValid('it was used before'));
  scene.clock.advance(300);
  assert.deepEqual(await errorOf(await asMachine(scene, machine, header)), notValid('it was used before'));
  scene.clock.advance(1);
  assert.deepEqual(await errorOf(await asMachine(scene, machine, header)), notValid('its iat is not near the present time'));
});

test('[DPA-06] of parallel uses of one proof exactly one succeeds', async () => {
  const scene = await stage();
  const machine = await machineClient(scene);
  const header = await proven(await proofKey());

  const statuses = await Promise.all(Array.from({ length: 20 }, async () => (await asMachine(scene, machine, header)).status));

  assert.deepEqual([statuses.filter((status) => status === 200).length, statuses.filter((status) => status === 400).length], [1, 19]);
});

test('[DPA-06] a replayed proof harms neither the code nor the refresh token it comes with', async () => {
  const scene = await stage();
  const key = await proofKey();
  const used = await proven(key);
  const first = await redeem(scene, used);
  const { code } = await scene.code();

  assert.deepEqual(await errorOf(await scene.post('/token', redemption(scene.client, code), used)), notValid('it was used before'));
  assert.deepEqual(await errorOf(await scene.post('/token', refreshing(scene, first.refresh_token), used)), notValid('it was used before'));

  assert.equal((await scene.post('/token', redemption(scene.client, code), await proven(key))).status, 200);
  assert.equal((await refresh(scene, first.refresh_token, await proven(key))).token_type, 'DPoP');
});

test('[DPA-06] a request that is refused for another reason writes nothing, so made-up proofs do not fill the database', async () => {
  const scene = await stage();
  const header = await proven(await proofKey());

  assert.equal((await errorOf(await scene.post('/token', redemption(scene.client, 'ac_unknown'), header))).error, 'invalid_grant');

  assert.equal((await redeem(scene, header)).token_type, 'DPoP');
});

test('[COD-09] [DPA-05] a code bound to a key needs a proof by it, and dies of too many others', async () => {
  const scene = await stage();
  const [key, other] = [await proofKey(), await proofKey()];
  const { code } = await scene.code({ dpopJkt: key.jkt });
  const { code: attacked } = await scene.code({ dpopJkt: key.jkt });

  const absent = await errorOf(await scene.post('/token', redemption(scene.client, code)));
  const wrong = await errorOf(await scene.post('/token', redemption(scene.client, code), await proven(other)));
  const right = await scene.post('/token', redemption(scene.client, code), await proven(key));
  for (let tried = 0; tried < MAX_CODE_FAILURES; tried++) await scene.post('/token', redemption(scene.client, attacked), await proven(other));
  const late = await errorOf(await scene.post('/token', redemption(scene.client, attacked), await proven(key)));

  assert.deepEqual([absent.status, absent.error], [400, 'invalid_dpop_proof']);
  assert.deepEqual([wrong.status, wrong.error], [400, 'invalid_grant']);
  assert.equal(right.status, 200);
  assert.equal(late.error, 'invalid_grant');
});

test('[COD-09] [D6] a replay that lacks the key ends nothing', async () => {
  const scene = await stage();
  const [key, other] = [await proofKey(), await proofKey()];
  const { code } = await scene.code({ dpopJkt: key.jkt });
  const tokens = (await (await scene.post('/token', redemption(scene.client, code), await proven(key))).json()) as Tokens;

  await scene.post('/token', redemption(scene.client, code), await proven(other));
  assert.equal((await scene.introspect(tokens.access_token)).active, true);

  await scene.post('/token', redemption(scene.client, code), await proven(key));
  assert.equal((await scene.introspect(tokens.access_token)).active, false);
});

test('[DPA-03] [RT-04] the refresh token of a public client is bound: no key or another harms nothing, the right one works', async () => {
  const scene = await stage();
  const [key, other] = [await proofKey(), await proofKey()];
  const { refresh_token } = await redeem(scene, await proven(key));

  const absent = await errorOf(await scene.refresh(refresh_token));
  const wrong = await errorOf(await scene.post('/token', refreshing(scene, refresh_token), await proven(other)));
  const next = await refresh(scene, refresh_token, await proven(key));

  assert.deepEqual([absent.status, absent.error], [400, 'invalid_dpop_proof']);
  assert.deepEqual([wrong.status, wrong.error], [400, 'invalid_grant']);
  assert.deepEqual(decodeJwt(next.access_token).cnf, { jkt: key.jkt });
  assert.equal((await errorOf(await scene.refresh(next.refresh_token))).error, 'invalid_dpop_proof');
});

test('[RT-03] within grace the predecessor gives the same successor to the same key only', async () => {
  const scene = await stage();
  const [key, other] = [await proofKey(), await proofKey()];
  const { refresh_token } = await redeem(scene, await proven(key));
  const next = await refresh(scene, refresh_token, await proven(key));

  const stolen = await errorOf(await scene.post('/token', refreshing(scene, refresh_token), await proven(other)));
  const again = await refresh(scene, refresh_token, await proven(key));

  assert.equal(stolen.error, 'invalid_grant');
  assert.equal(again.refresh_token, next.refresh_token);
  assert.deepEqual(decodeJwt(again.access_token).cnf, { jkt: key.jkt });
});

test('[DPA-03] the refresh token of a confidential client is not bound: it may change its key, or leave it away', async () => {
  const scene = await stage();
  const [key, other] = [await proofKey(), await proofKey()];
  const client = await scene.addClient({ secret: 'a secret' });
  const auth = basic(client.id, 'a secret');
  const { code } = await scene.code({ client });
  const { client_id: _, ...fields } = redemption(client, code);
  const first = (await (await scene.post('/token', fields, { ...auth, ...(await proven(key)) })).json()) as Tokens;
  const again = async (token: string, header = {}) =>
    (await (await scene.post('/token', { grant_type: 'refresh_token', refresh_token: token }, { ...auth, ...header })).json()) as Tokens;

  const second = await again(first.refresh_token, await proven(other));
  const third = await again(second.refresh_token);

  assert.deepEqual(decodeJwt(second.access_token).cnf, { jkt: other.jkt });
  assert.equal(third.token_type, 'Bearer');
});

test('[DPA-07] a browser may send proofs to the token endpoint and read nonces, on refusals too', async () => {
  const scene = await stage({ dpopNonces: true });
  const preflight = await scene.request('/token', {
    method: 'OPTIONS',
    headers: { Origin: 'https://app.example', 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'dpop' },
  });
  const refused = await scene.post('/token', redemption(scene.client, 'ac_x'), { Origin: 'https://app.example', ...(await proven(await proofKey())) });

  assert.match(preflight.headers.get('access-control-allow-headers') ?? '', /\bDPoP\b/);
  assert.equal(refused.headers.get('access-control-allow-origin'), '*');
  for (const name of ['DPoP-Nonce', 'WWW-Authenticate']) assert.ok(refused.headers.get('access-control-expose-headers')?.includes(name));
});

test('[META-16] [PRM-11] the metadata lists the algorithms of proofs, all asymmetric, and so does the document of our own resource', async () => {
  const scene = await stage();
  const read = async (path: string) => (await (await scene.request(path)).json()) as { dpop_signing_alg_values_supported: string[] };

  const { dpop_signing_alg_values_supported: algorithms } = await read('/.well-known/oauth-authorization-server');

  assert.ok(algorithms.includes('ES256'));
  assert.ok(algorithms.every((alg) => /^((ES|PS|RS)(256|384|512)|EdDSA|Ed25519)$/.test(alg)));
  assert.deepEqual((await read('/.well-known/oauth-protected-resource')).dpop_signing_alg_values_supported, algorithms);
});

test('[DPA-04] with nonces on, a proof without one, with a made-up or a stale one is told the one to use, and nothing changes', async () => {
  const scene = await stage({ dpopNonces: true });
  const key = await proofKey();
  const { code } = await scene.code();
  const ask = async (options: ProofOptions) => scene.post('/token', redemption(scene.client, code), await proven(key, options));

  const first = await ask({});
  const nonce = first.headers.get('dpop-nonce') ?? '';
  const madeUp = await ask({ nonce: 'made-up' });

  assert.deepEqual(await errorOf(first), {
    status: 400,
    error: 'use_dpop_nonce',
    description: 'Repeat the request with the nonce of the DPoP-Nonce header in the proof',
  });
  assert.equal(first.headers.get('cache-control'), 'no-store');
  assert.match(nonce, /^[A-Za-z0-9_-]{43}$/);
  assert.deepEqual([madeUp.status, madeUp.headers.get('dpop-nonce')], [400, nonce]);
  assert.equal((await ask({ nonce })).status, 200);
});

test('[DPA-04] a nonce lives through its window and the next; there its answer brings the new one', async () => {
  const scene = await stage({ dpopNonces: true });
  const key = await proofKey();
  const machine = await machineClient(scene);
  const ask = async (nonce?: string) => asMachine(scene, machine, await proven(key, { nonce, iat: scene.clock.now() }));
  const nonce = (await ask()).headers.get('dpop-nonce') ?? '';

  const fresh = await ask(nonce);
  scene.clock.advance(120);
  const overlapping = await ask(nonce);
  const next = overlapping.headers.get('dpop-nonce') ?? '';
  scene.clock.advance(120);
  const stale = await ask(nonce);

  assert.deepEqual([fresh.status, fresh.headers.get('dpop-nonce')], [200, null]);
  assert.equal(overlapping.status, 200);
  assert.notEqual(next, nonce);
  assert.equal((await ask(next)).status, 200);
  assert.deepEqual([stale.status, (await errorOf(stale)).error], [400, 'use_dpop_nonce']);
});

test('[DPA-04] the nonce of another tenant, of another instance and of userinfo is worth nothing', async () => {
  const scene = await stage({ dpopNonces: true });
  const stranger = await stage({ dpopNonces: true, secret: 'another secret, as long as it has to be' });
  const key = await proofKey();
  const machine = await machineClient(scene);
  const tenant = await tenantOf(scene, machine);
  const userinfo = { htm: 'GET', htu: `${issuer}/userinfo`, accessToken: 'x' };
  const answers = [
    await asMachine(scene, machine, await proven(key, { htu: tenant }), tenant),
    await asMachine(stranger, await machineClient(stranger), await proven(key)),
    await scene.request('/userinfo', { headers: { Authorization: 'DPoP x', ...(await proven(key, userinfo)) } }),
  ];

  for (const answer of answers) {
    const nonce = answer.headers.get('dpop-nonce') ?? '';
    assert.match(nonce, /^[A-Za-z0-9_-]{43}$/);
    assert.equal((await errorOf(await asMachine(scene, machine, await proven(key, { nonce })))).error, 'use_dpop_nonce');
  }
});

test('[UI-01] [DPR-01] userinfo takes a bound token under DPoP, with a proof for this request by its key', async () => {
  const scene = await stage();
  const [key, other] = [await proofKey(), await proofKey()];
  const { access_token } = await redeem(scene, await proven(key), ['openid']);
  const ask = async (with_: ProofKey, options: ProofOptions = {}, method = 'GET') =>
    scene.request('/userinfo', {
      method,
      headers: {
        Authorization: `DPoP ${access_token}`,
        ...(await proven(with_, { htm: method, htu: `${issuer}/userinfo`, accessToken: access_token, ...options })),
      },
    });

  assert.deepEqual(await (await ask(key)).json(), { sub: scene.user.id });
  assert.equal((await ask(key, {}, 'POST')).status, 200);

  const wrong: ProofOptions[] = [{ htm: 'POST' }, { htu: tokenUrl }, { accessToken: 'another' }, { claims: { ath: undefined } }, { iat: start - 301 }];
  for (const options of wrong) assert.deepEqual(await refusalOf(await ask(key, options)), [401, 'invalid_dpop_proof', 'DPoP'], JSON.stringify(options));
  assert.deepEqual(await refusalOf(await ask(other)), [401, 'invalid_token', 'DPoP']);
});

test('[DPR-02] [DPR-03] a bound token as Bearer, an unbound one under DPoP, no proof and a used one are 401, Bearer first, with the algorithms', async () => {
  const scene = await stage();
  const key = await proofKey();
  const bound = (await redeem(scene, await proven(key), ['openid'])).access_token;
  const bare = (await redeem(scene, {}, ['openid'])).access_token;
  const proofFor = (token: string) => proven(key, { htm: 'GET', htu: `${issuer}/userinfo`, accessToken: token });
  const ask = (authorization: string, header = {}) => scene.request('/userinfo', { headers: { Authorization: authorization, ...header } });
  const used = await proofFor(bound);
  assert.equal((await ask(`dpop ${bound}`, used)).status, 200);

  assert.deepEqual(await refusalOf(await ask(`Bearer ${bound}`)), [401, 'invalid_token', 'Bearer']);
  assert.deepEqual(await refusalOf(await ask(`Bearer ${bound}`, await proofFor(bound))), [401, 'invalid_token', 'Bearer']);
  assert.deepEqual(await refusalOf(await ask(`DPoP ${bare}`, await proofFor(bare))), [401, 'invalid_token', 'DPoP']);
  assert.deepEqual(await refusalOf(await ask(`DPoP ${bound}`)), [401, 'invalid_dpop_proof', 'DPoP']);
  assert.deepEqual(await refusalOf(await ask(`DPoP ${bound}`, used)), [401, 'invalid_dpop_proof', 'DPoP']);
  assert.equal((await ask(`Bearer ${bare}`, await proofFor(bare))).status, 200);
  assert.match(
    (await scene.request('/userinfo')).headers.get('www-authenticate') ?? '',
    /^Bearer realm="[^"]+", resource_metadata="[^"]+", DPoP algs="ES256 [^"]+"$/,
  );
});

test('[DPA-04] [DPR-04] userinfo demands a nonce of its own', async () => {
  const scene = await stage({ dpopNonces: true });
  const key = await proofKey();
  const nonce = (await scene.post('/token', redemption(scene.client, 'x'), await proven(key))).headers.get('dpop-nonce') ?? '';
  const { access_token } = await redeem(scene, await proven(key, { nonce }), ['openid']);
  const ask = async (given?: string) =>
    scene.request('/userinfo', {
      headers: {
        Authorization: `DPoP ${access_token}`,
        ...(await proven(key, { htm: 'GET', htu: `${issuer}/userinfo`, accessToken: access_token, nonce: given })),
      },
    });

  const refused = await ask(nonce);

  assert.equal(refused.status, 401);
  assert.match(refused.headers.get('www-authenticate') ?? '', /^Bearer .*, DPoP algs="[^"]+", error="use_dpop_nonce"/);
  assert.equal((await ask(refused.headers.get('dpop-nonce') ?? '')).status, 200);
});

test('[DPA-01] whatever the header is, the answer is invalid_dpop_proof and nothing is issued', async () => {
  const scene = await stage();
  const key = await proofKey();
  const { code } = await scene.code();
  const anything = fc.oneof(fc.string(), fc.integer(), fc.object(), fc.constant(null), fc.constantFrom('POST', tokenUrl, start));
  const claims = fc.dictionary(fc.constantFrom('htm', 'htu', 'iat', 'jti', 'nonce', 'exp'), anything, { minKeys: 1 });

  await fc.assert(
    fc.asyncProperty(claims, async (given) => {
      const header = await proven(key, { htm: 'GET', claims: { ...given, ...(given.htm === 'POST' ? { iat: 1 } : {}) } }).catch(() => ({ DPoP: 'x' }));
      assert.equal((await errorOf(await scene.post('/token', redemption(scene.client, code), header))).error, 'invalid_dpop_proof');
    }),
    { numRuns: 60 },
  );
  assert.equal((await scene.post('/token', redemption(scene.client, code), await proven(key))).status, 200);
});

test('[TOK-10] no proof reaches the log', async () => {
  const scene = await stage();
  const header = await proven(await proofKey());
  await redeem(scene, header);
  await scene.post('/token', redemption(scene.client, 'ac_x'), header);
  await scene.post('/token', redemption(scene.client, 'ac_x'), await proven(await proofKey(), { htm: 'GET' }));

  for (const part of header.DPoP.split('.')) assert.equal(scene.logged.join('\n').includes(part), false);
});

/** The same claims and signature under another header. */
function reheaded(token: string, header: Record<string, unknown>): string {
  const head = Buffer.from(JSON.stringify({ typ: 'dpop+jwt', ...header })).toString('base64url');
  return [head, ...token.split('.').slice(1)].join('.');
}

async function redeem(scene: Stage, header: Record<string, string> = {}, scope = ['files:read']): Promise<Tokens> {
  const response = await scene.post('/token', redemption(scene.client, (await scene.code({ scope })).code), header);
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as Tokens;
}

const refreshing = ({ client }: Stage, token: string) => ({ grant_type: 'refresh_token', refresh_token: token, client_id: client.id });

async function refresh(scene: Stage, token: string, header: Record<string, string>): Promise<Tokens> {
  const response = await scene.post('/token', refreshing(scene, token), header);
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as Tokens;
}

async function machineClient(scene: Stage) {
  const secret = sha256('machine');
  const client = await scene.addClient({ secret, metadata: { grantTypes: ['client_credentials'], scope: 'files:read' } });
  return { client, secret };
}

type Machine = Awaited<ReturnType<typeof machineClient>>;
function asMachine(scene: Stage, { client, secret }: Machine, header: Record<string, string>, url = '/token'): Promise<Response> {
  const fields = { grant_type: 'client_credentials', resource: scene.mcp.resource };
  return scene.post(url, fields, { ...basic(client.id, secret), ...header });
}

/** The token endpoint of a new tenant where the machine is known too, and no server is. */
async function tenantOf({ server, clock }: Stage, { client }: Machine): Promise<string> {
  await server.storage.addTenant({ tenant: 'acme', name: 'Acme', createdAt: clock.now() });
  const context = await server.context('acme');
  await context?.store.addClient(client, auditEvent('client.registered', clock.now(), 'test'));
  return `${issuer}/t/acme/token`;
}

/** Status, error code, and the scheme whose challenge names it. */
async function refusalOf(response: Response): Promise<[number, unknown, string]> {
  const challenge = response.headers.get('www-authenticate') ?? '';
  const [, bearerPart = '', dpopPart = ''] = /^(Bearer .*), (DPoP algs="ES256 .*)$/.exec(challenge) ?? [];
  const { status, error } = await errorOf(response);
  const named = [bearerPart, dpopPart].filter((part) => part.includes(`error="${error}"`)).map((part) => part.split(' ', 1)[0]);
  return [status, error, named.join()];
}
