import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { activeAnswer, optionsFor, playAuthorizationServer, resource, startOfTime } from '../test/stage.ts';
import { readVectors, titleOf } from '../test/vectors.ts';
import { type ProtectOptions, protect } from './adapters/fetch.ts';
import { AuthAgentClient } from './client.ts';
import { createProofMemory, type ProofMemory } from './proof-memory.ts';
import type { AuthContext } from './verify.ts';

interface Call {
  readonly authorization: string | null;
  readonly dpop: string | null;
  readonly status: number;
  readonly error?: string;
  readonly www_authenticate?: string;
  readonly dpop_nonce?: string | null;
}
interface RequestFile {
  readonly url: string;
  readonly cases: {
    name: string;
    requirements: string[];
    token: Record<string, unknown>;
    required?: boolean;
    nonce_secret?: string;
    calls: Call[];
  }[];
}

const { url, cases } = readVectors<RequestFile>('dpop-requests');

for (const vector of cases) {
  test(`${titleOf(vector)} (DPoP requests)`, async (t) => {
    const handle = await stand(t, vector.token, {
      ...(vector.required && { dpopRequired: true }),
      ...(vector.nonce_secret !== undefined && { dpopNonceSecret: vector.nonce_secret }),
    });

    for (const call of vector.calls) await assertAnswer(await handle(requestOf(call)), call);
  });
}

test('[DPR-05] a memory of our own is asked with an opaque id, the end of the proof and the time', async (t) => {
  const asked: unknown[][] = [];
  const proofMemory: ProofMemory = { useOnce: async (...question) => asked.push(question) === 1 };
  const { token, calls } = vectorNamed('a proof works once; the next request needs its own');
  const handle = await stand(t, token, { proofMemory });

  const statuses = [(await handle(requestOf(calls[0]))).status, (await handle(requestOf(calls[2]))).status];

  assert.deepEqual(statuses, [200, 401]);
  assert.match(String(asked[0]?.[0]), /^[A-Za-z0-9_-]{43}$/);
  assert.deepEqual(asked[0]?.slice(1), [startOfTime + 301, startOfTime]);
});

test('[DPR-05] the memory forgets what has ended, and when it is full refuses instead of forgetting early', () => {
  const memory = createProofMemory(2);

  assert.deepEqual([memory.useOnce('a', 100, 0), memory.useOnce('a', 100, 99), memory.useOnce('b', 200, 0)], [true, false, true]);
  assert.equal(memory.useOnce('c', 300, 50), false);
  assert.equal(memory.useOnce('c', 300, 100), true);
  assert.equal(memory.useOnce('a', 400, 101), false);
  assert.equal(memory.useOnce('a', 400, 200), true);
});

test('[DPR-01] handlers see the key, and never the token', async (t) => {
  let seen: AuthContext | undefined;
  const { token, calls } = vectorNamed('a bound token with its proof');
  const handle = await stand(t, token, {}, (auth) => {
    seen = auth;
  });

  await handle(requestOf(calls[0]));

  assert.equal(seen?.jkt, (token.cnf as { jkt: string }).jkt);
  assert.equal(JSON.stringify(seen).includes('eyJ.bound.token'), false);
});

test('[DPR-01] htu is compared with the configured address, whatever the request calls itself', async (t) => {
  const { token, calls } = vectorNamed('a bound token with its proof');
  const handle = await stand(t, token);
  const headers = { Authorization: calls[0]?.authorization ?? '', DPoP: calls[0]?.dpop ?? '' };

  assert.equal((await handle(new Request('http://10.0.0.7:3000/other', { method: 'POST', headers }))).status, 401);
  assert.equal((await handle(new Request('http://10.0.0.7:3000/mcp?x=y', { method: 'POST', headers }))).status, 200);
});

test('[DPR-02] validateToken, which knows of no proof, refuses a bound token, and every token where bound ones are required', async (t) => {
  const played = await playAuthorizationServer(t);
  played.reply = () => ({ body: activeAnswer(played.url, vectorNamed('a bound token with its proof').token) });
  await assert.rejects(new AuthAgentClient({ ...optionsFor(played), resource }).validateToken('abc'), { code: 'invalid_token', reason: 'key_bound' });

  played.reply = () => ({ body: activeAnswer(played.url) });
  await assert.rejects(new AuthAgentClient({ ...optionsFor(played), resource, dpopRequired: true }).validateToken('abc'), { code: 'invalid_token' });
});

test('[PRM-11] the document lists the algorithms of proofs, and says when only bound tokens are accepted', async (t) => {
  const document = async (more: Partial<ProtectOptions>) => {
    const handle = await stand(t, {}, more);
    return (await handle(new Request('https://files.example.com/.well-known/oauth-protected-resource/mcp'))).json() as Promise<Record<string, unknown>>;
  };

  const [optional, required] = [await document({}), await document({ dpopRequired: true })];

  assert.ok((optional.dpop_signing_alg_values_supported as string[]).includes('ES256'));
  assert.deepEqual(['dpop_bound_access_tokens_required' in optional, required.dpop_bound_access_tokens_required], [false, true]);
});

async function stand(t: TestContext, token: Record<string, unknown>, more: Partial<ProtectOptions> = {}, see: (auth: AuthContext) => void = () => undefined) {
  const played = await playAuthorizationServer(t);
  played.reply = ({ path }) => (path === '/introspect' ? { body: activeAnswer(played.url, token) } : { status: 503 });
  const options = { ...optionsFor(played), resource, requiredScopes: ['files:read'], ...more } as ProtectOptions;
  return protect(options, (_request, auth) => {
    see(auth);
    return new Response('reached');
  });
}

function requestOf(call: Call | undefined): Request {
  const headers = new Headers();
  if (call?.authorization) headers.set('Authorization', call.authorization);
  if (call?.dpop) headers.set('DPoP', call.dpop);
  return new Request(url, { method: 'POST', headers });
}

async function assertAnswer(response: Response, { status, error, www_authenticate: challenge, dpop_nonce: nonce }: Call): Promise<void> {
  assert.equal(response.status, status, await response.clone().text());
  if (error !== undefined) assert.equal(((await response.json()) as { error: string }).error, error);
  if (challenge !== undefined) assert.equal(response.headers.get('www-authenticate'), challenge);
  if (nonce !== undefined) assert.equal(response.headers.get('dpop-nonce'), nonce);
}

function vectorNamed(name: string) {
  const vector = cases.find((one) => one.name === name);
  assert.ok(vector);
  return vector;
}
