import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { optionsFor, type PlayedServer, playAuthorizationServer, resource, startOfTime } from '../test/stage.ts';
import { readVectors, titleOf } from '../test/vectors.ts';
import { AuthAgentClient } from './client.ts';
import { checkHeader } from './jwt.ts';

const jwks = '/.well-known/jwks.json';

interface KeyPair {
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

for (const vector of readVectors<{ cases: { name: string; requirements: string[]; header: object; reason: string | null }[] }>('jwt-headers').cases) {
  test(`${titleOf(vector)} (JWT headers)`, () => {
    const token = `${Buffer.from(JSON.stringify(vector.header)).toString('base64url')}.e30.c2ln`;

    if (vector.reason === null) checkHeader(token);
    else assert.throws(() => checkHeader(token), { code: 'invalid_token', reason: vector.reason });
  });
}

for (const alg of ['ES256', 'RS256', 'PS256', 'EdDSA']) {
  test(`[RS-07] a token signed with ${alg} is verified here, without asking anybody about it`, async (t) => {
    const key = await keyPair('k1', alg);
    const { played, client } = await localClient(t, [key]);

    const user = await client.validateToken(await sign(key, played));

    assert.deepEqual([user.id, user.clientId, user.scopes, user.grantId], ['usr_1', 'client_a', ['files:read'], 'grant_1']);
    assert.equal(played.asked('/introspect'), 0);
    assert.equal(played.asked(jwks), 1);
  });
}

test('a token seen before is not verified again, and never past its exp', async (t) => {
  const key = await keyPair('k1');
  const { played, client, clock } = await localClient(t, [key]);
  const token = await sign(key, played, { exp: startOfTime + 20 });

  const first = await client.validateToken(token);
  assert.equal(await client.validateToken(token), first);
  clock.now += 20;
  assert.notEqual(await client.validateToken(token), first);
  clock.now += 60;
  await assert.rejects(client.validateToken(token), { code: 'invalid_token', reason: 'expired' });
});

const refusals: Record<string, [Record<string, unknown>, string]> = {
  '[RS-19] another issuer': [{ iss: 'https://evil.example.com' }, 'issuer'],
  '[RS-08] a sibling audience': [{ aud: 'https://files.example.com/other' }, 'audience'],
  '[RS-08] no audience': [{ aud: undefined }, 'audience'],
  '[RS-07] no exp': [{ exp: undefined }, 'expired'],
  '[RS-07] a past exp': [{ exp: startOfTime - 60 }, 'expired'],
  '[RS-07] nbf in the future': [{ nbf: startOfTime + 61 }, 'not_yet_valid'],
  '[RS-07] a token bound to a key': [{ cnf: { jkt: 'x' } }, 'key_bound'],
  '[RS-07] no client': [{ client_id: undefined }, 'subject'],
};

for (const [name, [claims, reason]] of Object.entries(refusals)) {
  test(`${name} is refused although the signature is good`, async (t) => {
    const key = await keyPair('k1');
    const { played, client } = await localClient(t, [key]);

    await assert.rejects(client.validateToken(await sign(key, played, claims)), { code: 'invalid_token', reason });
  });
}

test('[KEY-05] [RS-02] a signature of a foreign key under a known kid is refused', async (t) => {
  const { played, client } = await localClient(t, [await keyPair('k1')]);

  await assert.rejects(client.validateToken(await sign(await keyPair('k1'), played)), { code: 'invalid_token', reason: 'signature' });
});

test('[KEY-05] a changed payload is refused', async (t) => {
  const key = await keyPair('k1');
  const { played, client } = await localClient(t, [key]);
  const [header, , signature] = (await sign(key, played)).split('.');
  const forged = Buffer.from(JSON.stringify({ iss: played.url, aud: resource, exp: startOfTime + 60, sub: 'usr_2', client_id: 'x' })).toString('base64url');

  await assert.rejects(client.validateToken(`${header}.${forged}.${signature}`), { code: 'invalid_token', reason: 'signature' });
});

test('[KEY-05] HMAC with the public key as its secret is refused', async (t) => {
  const key = await keyPair('k1', 'RS256');
  const { played, client } = await localClient(t, [key]);
  const secret = new TextEncoder().encode(JSON.stringify(key.jwk));
  const forged = await new SignJWT(claimsFor(played)).setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: 'k1' }).sign(secret);

  await assert.rejects(client.validateToken(forged), { code: 'invalid_token', reason: 'alg' });
});

test('[KEY-05] an algorithm that does not fit the key is refused', async (t) => {
  const rsa = await keyPair('k1', 'RS256');
  const { played, client } = await localClient(t, [rsa]);

  await assert.rejects(client.validateToken(await sign(await keyPair('k1', 'ES256'), played)), { code: 'invalid_token' });
});

test('[KEY-05] a key the token brings along is not looked at, nor the address of one', async (t) => {
  const elsewhere = await playAuthorizationServer(t);
  const { played, client } = await localClient(t, [await keyPair('k1')]);
  const attacker = await keyPair('evil');
  const header = { alg: 'ES256', typ: 'at+jwt', kid: 'evil', jwk: attacker.jwk, jku: `${elsewhere.url}/jwks`, x5u: `${elsewhere.url}/x5u` };
  const forged = await new SignJWT(claimsFor(played)).setProtectedHeader(header).sign(attacker.privateKey);

  await assert.rejects(client.validateToken(forged), { code: 'invalid_token', reason: 'unknown_key' });
  assert.equal(elsewhere.received.length, 0);
});

test('[KEY-04] a rotated key is found by one fetch', async (t) => {
  const [old, next] = [await keyPair('k1'), await keyPair('k2')];
  const { played, client, clock, publish } = await localClient(t, [old]);
  await client.validateToken(await sign(old, played));

  publish([old, next]);
  clock.now += 30;

  assert.equal((await client.validateToken(await sign(next, played))).id, 'usr_1');
  assert.equal(played.asked(jwks), 2);
});

test('[KEY-04] a flood of unknown kids causes one fetch every thirty seconds', async (t) => {
  const { played, client, clock } = await localClient(t, [await keyPair('k1')]);
  const strange = await Promise.all(Array.from({ length: 20 }, async (_, index) => sign(await keyPair(`x${index}`), played)));
  const flood = () => Promise.allSettled(strange.map((token) => client.validateToken(token)));

  const outcomes = await flood();
  assert.ok(outcomes.every((outcome) => outcome.status === 'rejected' && outcome.reason.code === 'invalid_token'));
  assert.equal(played.asked(jwks), 1);

  clock.now += 29;
  await flood();
  assert.equal(played.asked(jwks), 1);

  clock.now += 1;
  await flood();
  assert.equal(played.asked(jwks), 2);
});

test('[KEY-04] fifty first tokens fetch the keys once', async (t) => {
  const key = await keyPair('k1');
  const { played, client } = await localClient(t, [key]);
  const tokens = await Promise.all(Array.from({ length: 50 }, (_, index) => sign(key, played, { jti: `j${index}` })));

  await Promise.all(tokens.map((token) => client.validateToken(token)));

  assert.equal(played.asked(jwks), 1);
});

test('[KEY-04] [RS-17] known keys outlive an outage for as long as configured, then 503', async (t) => {
  const key = await keyPair('k1');
  const { played, client, clock } = await localClient(t, [key], { maxStaleKeys: 1200 });
  const fresh = (index: number) => sign(key, played, { jti: `j${index}`, exp: startOfTime + 86_400 });
  await client.validateToken(await fresh(0));
  played.reply = () => ({ status: 503 });

  clock.now += 1199;
  assert.equal((await client.validateToken(await fresh(1))).id, 'usr_1');
  const asked = played.asked(jwks);
  assert.equal((await client.validateToken(await fresh(2))).id, 'usr_1');
  assert.equal(played.asked(jwks), asked);

  clock.now += 1;
  await assert.rejects(client.validateToken(await fresh(3)), { code: 'auth_server_unavailable' });
});

test('[KEY-04] [RS-17] an unknown kid during an outage is 503: the key may well exist', async (t) => {
  const key = await keyPair('k1');
  const { played, client, clock } = await localClient(t, [key]);
  await client.validateToken(await sign(key, played));
  played.reply = () => ({ status: 503 });
  clock.now += 30;
  const next = await sign(await keyPair('k2'), played);

  await assert.rejects(client.validateToken(next), { code: 'auth_server_unavailable' });
  await assert.rejects(client.validateToken(next), { code: 'auth_server_unavailable' });
});

test('[RS-17] no keys at all is 503, and the next token tries again', async (t) => {
  const key = await keyPair('k1');
  const { played, client, publish } = await localClient(t, [key]);
  for (const reply of [{ status: 500 }, { body: { keys: [] } }, { body: { keys: 'no' } }, { raw: '<html>' }]) {
    played.reply = () => reply;
    await assert.rejects(client.validateToken(await sign(key, played)), { code: 'auth_server_unavailable' });
  }

  publish([key]);

  assert.equal((await client.validateToken(await sign(key, played))).id, 'usr_1');
});

interface CacheCase {
  readonly name: string;
  readonly requirements: string[];
  readonly max_stale_keys: number;
  readonly steps: { at: number; published: string[] | null; tokens: string[]; fetches: number; expect: string }[];
}

for (const vector of readVectors<{ cases: CacheCase[] }>('key-cache').cases) {
  test(`${titleOf(vector)} (key cache)`, async (t) => {
    const ids = new Set(vector.steps.flatMap(({ published, tokens }) => [...(published ?? []), ...tokens]));
    const keys = new Map(await Promise.all([...ids].map(async (kid) => [kid, await keyPair(kid)] as const)));
    const key = (kid: string) => keys.get(kid) ?? assert.fail(kid);
    const { played, client, clock, publish } = await localClient(t, [], { maxStaleKeys: vector.max_stale_keys, cacheTtl: 0 });
    for (const { at, published, tokens, fetches, expect } of vector.steps) {
      clock.now = startOfTime + at;
      if (published) publish(published.map(key));
      else played.reply = () => ({ status: 503 });
      const before = played.asked(jwks);

      const signed = await Promise.all(tokens.map((kid, index) => sign(key(kid), played, { jti: `${at} ${index}`, exp: startOfTime + 86_400 })));
      const outcomes = await Promise.all(
        signed.map((token) =>
          client.validateToken(token).then(
            () => 'active',
            ({ code }) => code,
          ),
        ),
      );

      assert.deepEqual(new Set(outcomes), new Set([expect]), `at ${at}`);
      assert.equal(played.asked(jwks) - before, fetches, `at ${at}`);
    }
  });
}

async function localClient(
  t: Parameters<typeof playAuthorizationServer>[0],
  keys: readonly KeyPair[],
  more: { maxStaleKeys?: number; cacheTtl?: number } = {},
) {
  const played = await playAuthorizationServer(t);
  const publish = (published: readonly KeyPair[]) => {
    played.reply = (request) => (request.path === jwks ? { body: { keys: published.map((key) => key.jwk) } } : { status: 404 });
  };
  publish(keys);
  const clock = { now: startOfTime };
  const client = new AuthAgentClient({ ...optionsFor(played), resource, verify: 'local', now: () => clock.now, ...more });
  return { played, client, clock, publish };
}

async function keyPair(kid: string, alg = 'ES256'): Promise<KeyPair> {
  const { publicKey, privateKey } = await generateKeyPair(alg);
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

function claimsFor(played: PlayedServer): Record<string, unknown> {
  return {
    iss: played.url,
    aud: resource,
    sub: 'usr_1',
    client_id: 'client_a',
    scope: 'files:read',
    grant_id: 'grant_1',
    iat: startOfTime,
    exp: startOfTime + 3600,
    jti: 'j1',
  };
}

function sign({ privateKey, jwk }: KeyPair, played: PlayedServer, changes: Record<string, unknown> = {}): Promise<string> {
  return new SignJWT({ ...claimsFor(played), ...changes }).setProtectedHeader({ alg: jwk.alg ?? '', typ: 'at+jwt', kid: jwk.kid ?? '' }).sign(privateKey);
}
