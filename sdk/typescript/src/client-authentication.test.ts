import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { type AgentOptions, agentTokens, type ClientKey, tokenExchange } from 'auth-agent-mcp-sdk/agent';
import { decodeProtectedHeader, importJWK, type JWK, jwtVerify } from 'jose';
import { type PlayedServer, playAuthorizationServer, startOfTime } from '../test/stage.ts';
import { readVectors, titleOf } from '../test/vectors.ts';

interface Case {
  readonly name: string;
  readonly requirements: string[];
  readonly key: JWK | string;
  readonly key_id?: string;
  readonly wrong_use?: 'client_key' | 'client_key_id';
  readonly alg?: string;
  readonly kid?: string;
  readonly public?: JWK;
}

const { cases } = readVectors<{ cases: Case[] }>('client-keys');
const options = { client_key: 'clientKey', client_key_id: 'clientKeyId' };
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const good = cases[0] as Case;

/** An agent with a key, and the issuer it asks. */
async function agentWith(t: Parameters<typeof playAuthorizationServer>[0], key: ClientKey, more: Partial<AgentOptions> = {}) {
  const auth = await playAuthorizationServer(t);
  auth.reply = ({ path }) =>
    path.startsWith('/.well-known/')
      ? { body: { issuer: auth.url, token_endpoint: `${auth.url}/token` } }
      : { body: { access_token: `t${auth.received.length}`, token_type: 'Bearer', expires_in: 60 } };
  const agent = agentTokens({ issuer: auth.url, clientId: 'nightly', clientKey: key, now: () => startOfTime + 0.9, ...more });
  return { auth, agent };
}

/** The assertions that came in. */
function assertions(auth: PlayedServer): string[] {
  return auth.received.flatMap(({ form }) => form.get('client_assertion') ?? []);
}

for (const vector of cases) {
  test(`${titleOf(vector)} (client keys)`, async (t) => {
    const { key, key_id: clientKeyId, wrong_use: wrongUse } = vector;
    if (wrongUse) {
      const made = () => agentTokens({ issuer: 'https://auth.example.com', clientId: 'nightly', clientKey: key, clientKeyId: clientKeyId as string });
      assert.throws(made, (error) => {
        assert.ok(error instanceof TypeError && error.message.includes(`"${options[wrongUse]}"`), inspect(error));
        const hidden = (typeof key === 'string' ? key : (key?.d ?? '')).trim();
        return hidden === '' || !error.message.includes(hidden);
      });
      return;
    }
    const { auth, agent } = await agentWith(t, key, clientKeyId === undefined ? {} : { clientKeyId });

    const first = await agent.token();
    await agent.fetch(auth.url).catch(() => undefined);

    assert.equal(first, 't2');
    const [assertion = ''] = assertions(auth);
    assert.deepEqual(decodeProtectedHeader(assertion), {
      typ: 'client-authentication+jwt',
      alg: vector.alg,
      ...(vector.kid !== undefined && { kid: vector.kid }),
    });
    const verified = await jwtVerify(assertion, await importJWK(vector.public as JWK, vector.alg), { currentDate: new Date(startOfTime * 1000) });
    const { jti, ...claims } = verified.payload;
    assert.deepEqual(claims, { iss: 'nightly', sub: 'nightly', aud: auth.url, iat: startOfTime, exp: startOfTime + 60 });
    assert.match(String(jti), /^[\w-]{22,}$/);
    const asked = auth.received.find(({ path }) => path === '/token');
    assert.equal(asked?.headers.authorization, undefined);
    assert.deepEqual([asked?.form.get('client_id'), asked?.form.get('client_assertion_type')], ['nightly', assertionType]);
  });
}

describe('keys that are no vectors', () => {
  const kinds = {
    ES256: { name: 'ECDSA', namedCurve: 'P-256' },
    EdDSA: { name: 'Ed25519' },
    RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) },
  } as const;
  for (const [algorithm, kind] of Object.entries(kinds))
    test(`[CA-06] a CryptoKey for ${algorithm}, and the same as a KeyObject`, async (t) => {
      const pair = (await crypto.subtle.generateKey(kind as EcKeyGenParams, true, ['sign', 'verify'])) as CryptoKeyPair;
      const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', pair.privateKey));

      for (const key of [pair.privateKey, createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })]) {
        const { auth, agent } = await agentWith(t, key, { clientKeyId: 'key-1' });
        await agent.token();
        const [assertion = ''] = assertions(auth);
        const { protectedHeader } = await jwtVerify(assertion, pair.publicKey, { currentDate: new Date(startOfTime * 1000) });
        assert.deepEqual(protectedHeader, { typ: 'client-authentication+jwt', alg: algorithm, kid: 'key-1' });
      }
    });

  test('those that cannot sign, or not well, are told at start', async () => {
    const agreement = await crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, false, ['deriveBits']);
    const signing = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']);
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const wrong = [agreement.privateKey, signing.publicKey, weak.privateKey, weak.publicKey, generateKeyPairSync('x25519').privateKey, null, {}, signing];

    for (const key of wrong)
      assert.throws(() => agentTokens({ issuer: 'https://auth.example.com', clientId: 'c', clientKey: key as ClientKey }), /^TypeError: "clientKey"/);
  });
});

test('[CA-06] every request has an assertion of its own, also the one that is repeated with a nonce', async (t) => {
  const { auth, agent } = await agentWith(t, good.key, { dpop: true });
  auth.reply = ({ path, headers }) => {
    if (path.startsWith('/.well-known/')) return { body: { issuer: auth.url, token_endpoint: `${auth.url}/token` } };
    const { nonce } = JSON.parse(Buffer.from(String(headers['dpop']).split('.')[1] ?? '', 'base64url').toString());
    if (nonce === undefined) return { status: 400, headers: { 'DPoP-Nonce': 'n1' }, body: { error: 'use_dpop_nonce' } };
    return { body: { access_token: 't1', token_type: 'DPoP', expires_in: 60 } };
  };

  await agent.token();

  const [first = '', second = ''] = assertions(auth);
  const jti = (assertion: string) => JSON.parse(Buffer.from(assertion.split('.')[1] ?? '', 'base64url').toString()).jti;
  assert.notEqual(jti(first), jti(second));
});

test('neither an agent nor a refusal shows the assertion, even if the server says it', async (t) => {
  const { auth, agent } = await agentWith(t, good.key);
  const discovery = auth.reply;
  auth.reply = (request) =>
    request.path === '/token'
      ? { status: 401, body: { error: 'invalid_client', error_description: `bad: ${request.form.get('client_assertion')}` } }
      : discovery(request);

  const refused = await agent.token().catch((error: unknown) => error);

  const [assertion = '?'] = assertions(auth);
  const shown = inspect([refused, agent], { depth: 9, showHidden: true });
  assert.match(shown, /invalid_client "bad: \*{8}"/);
  assert.ok(!shown.includes(assertion) && !shown.includes((good.key as JWK).d ?? '?'));
});

test('a client has one way to say who it is, and a key needs an issuer', () => {
  const issuer = 'https://auth.example.com';
  const key = good.key as JWK;

  for (const make of [agentTokens, tokenExchange]) {
    assert.throws(() => make({ issuer, clientId: 'c' }), /either "clientSecret" or "clientKey" must be given/);
    assert.throws(() => make({ issuer, clientId: 'c', clientSecret: 's', clientKey: key }), /either "clientSecret" or "clientKey" must be given, not both/);
    assert.throws(() => make({ tokenEndpoint: `${issuer}/token`, clientId: 'c', clientKey: key }), /"clientKey" needs "issuer"/);
  }
});
