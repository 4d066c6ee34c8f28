import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { listen, type PlayedServer, playAuthorizationServer, type Reply, startOfTime } from '../test/stage.ts';
import { readVectors, titleOf } from '../test/vectors.ts';
import { AuthServerUnavailable, agentTokens, TokenRequestRefused } from './agent.ts';
import { judgeProof } from './dpop-proof.ts';
import { createProofKey } from './proof-key.ts';

interface Case {
  readonly name: string;
  readonly requirements: string[];
  readonly calls: number;
  readonly token_endpoint: Reply[];
  readonly token_nonces: (string | null)[];
  readonly server: Reply[];
  readonly server_nonces: (string | null)[];
  readonly expect: number[] | 'unavailable' | 'refused';
}

const client = { clientId: 'agent', clientSecret: 'secret', now: () => startOfTime };

for (const vector of readVectors<{ cases: Case[] }>('agent-dpop').cases) {
  test(`${titleOf(vector)} (agent with DPoP)`, async (t) => {
    const [auth, api] = [await playAuthorizationServer(t), await playAuthorizationServer(t)];
    const [tokenAnswers, answers] = [[...vector.token_endpoint], [...vector.server]];
    auth.reply = () => tokenAnswers.shift() ?? { status: 500 };
    api.reply = () => answers.shift() ?? { status: 500 };
    const agent = agentTokens({ ...client, tokenEndpoint: `${auth.url}/token`, dpop: true });

    const statuses: number[] = [];
    let failure: unknown;
    for (let call = 0; call < vector.calls && failure === undefined; call++) {
      const response = await agent.fetch(`${api.url}/mcp?session=1`, { method: 'post', body: 'x' }).catch((error: unknown) => {
        failure = error;
      });
      if (response) statuses.push(response.status);
    }

    if (vector.expect === 'unavailable') assert.ok(failure instanceof AuthServerUnavailable);
    else if (vector.expect === 'refused') assert.ok(failure instanceof TokenRequestRefused);
    else assert.deepEqual(statuses, vector.expect);
    assert.deepEqual(await noncesOf(auth, `${auth.url}/token`), vector.token_nonces);
    assert.deepEqual(await noncesOf(api, `${api.url}/mcp`), vector.server_nonces);
    const proofs = [...auth.received, ...api.received].map(({ headers }) => String(headers.dpop));
    assert.equal(new Set(proofs.map((proof) => decodeJwt(proof).jti)).size, proofs.length);
    assert.equal(new Set(proofs.map((proof) => JSON.stringify(decodeProtectedHeader(proof).jwk))).size, 1);
  });
}

/** The nonces of the proofs that a server got, each of which is good for its request. */
async function noncesOf({ received }: PlayedServer, url: string): Promise<(string | null)[]> {
  const nonces: (string | null)[] = [];
  for (const { method, headers } of received) {
    const proof = String(headers.dpop);
    const { htm, htu, iat, ath, nonce } = decodeJwt(proof);
    assert.deepEqual([htm, htu, iat], [method, url, startOfTime]);
    const token = /^DPoP (\S+)$/.exec(headers.authorization ?? '')?.[1];
    if (token === undefined) assert.equal(ath, undefined);
    else await assertGood(proof, { method, url, token });
    nonces.push((nonce as string | undefined) ?? null);
  }
  return nonces;
}

async function assertGood(proof: string, { method, url, token }: { method: string; url: string; token: string }): Promise<void> {
  const { kty, crv, x, y } = decodeProtectedHeader(proof).jwk as unknown as Record<string, string>;
  const hash = (text: string) => createHash('sha256').update(text).digest('base64url');
  const jkt = hash(JSON.stringify({ crv, kty, x, y }));
  await judgeProof(proof, { method, url, tokenHash: hash(token), jkt, now: startOfTime });
}

test('[CL-21] requests side by side that are refused for want of a nonce are each repeated with it', async (t) => {
  const api = await playAuthorizationServer(t);
  api.reply = ({ headers }) =>
    decodeJwt(String(headers.dpop)).nonce === 'n'
      ? { status: 200 }
      : { status: 401, headers: { 'DPoP-Nonce': 'n', 'WWW-Authenticate': 'DPoP error="use_dpop_nonce"' } };
  const url = await listen(t, (_, response) => response.end(JSON.stringify({ access_token: 't1', token_type: 'DPoP', expires_in: 60 })));
  const agent = agentTokens({ ...client, tokenEndpoint: `${url}/token`, dpop: true });

  const statuses = await Promise.all(Array.from({ length: 5 }, async () => (await agent.fetch(api.url)).status));

  assert.deepEqual(statuses, [200, 200, 200, 200, 200]);
});

test('[CL-21] a request with a stream for a body is not repeated, but the nonce is kept for the next one', async (t) => {
  const api = await playAuthorizationServer(t);
  const nonces: unknown[] = [];
  api.reply = ({ headers }) => {
    nonces.push(decodeJwt(String(headers.dpop)).nonce);
    return { status: 401, headers: { 'DPoP-Nonce': 'n', 'WWW-Authenticate': 'DPoP error="use_dpop_nonce"' } };
  };
  const url = await listen(t, (_, response) => response.end(JSON.stringify({ access_token: 't1', token_type: 'DPoP', expires_in: 60 })));
  const agent = agentTokens({ ...client, tokenEndpoint: `${url}/token`, dpop: true });
  const streaming = () => agent.fetch(api.url, { method: 'POST', body: new Blob(['x']).stream(), duplex: 'half' } as RequestInit);

  assert.equal((await streaming()).status, 401);
  assert.equal((await streaming()).status, 401);
  assert.deepEqual(nonces, [undefined, 'n']);
});

test('a key pair of the caller is used; one that cannot sign proofs is a TypeError that names the option', async () => {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']);
  const wrong = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-384' }, false, ['sign', 'verify']);
  const options = { ...client, issuer: 'https://auth.example.com' };

  assert.equal(await createProofKey(pair).thumbprint(), await createProofKey(pair).thumbprint());
  agentTokens({ ...options, dpop: pair });
  assert.throws(() => agentTokens({ ...options, dpop: wrong }), /"dpop" must be/);
  assert.throws(() => agentTokens({ ...options, dpop: {} as CryptoKeyPair }), /"dpop" must be/);
});
