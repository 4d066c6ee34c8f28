import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { before, test } from 'node:test';
import fc from 'fast-check';
import { CompactSign, calculateJwkThumbprint, exportJWK, exportSPKI, generateKeyPair, importJWK, type JWK } from 'jose';
import { dpopAlgorithms, readSignedProof } from './dpop-proof.ts';

type Key = { publicJwk: JWK; privateJwk: JWK };
const keys = new Map<string, Key>();
const claims = { jti: 'one', htm: 'POST' };

before(async () => {
  for (const alg of dpopAlgorithms) {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    keys.set(alg, { publicJwk: await exportJWK(publicKey), privateJwk: await exportJWK(privateKey) });
  }
});

test('[DPA-01] a proof by any offered algorithm is read, with the thumbprint of its key', async () => {
  for (const alg of dpopAlgorithms) {
    const { publicJwk } = keyOf(alg);

    const read = await readSignedProof(await sign(alg));

    assert.deepEqual(read, { jkt: await calculateJwkThumbprint(publicJwk), claims }, alg);
  }
});

test('[DPA-01] the thumbprint does not depend on what else the jwk says', async () => {
  const { publicJwk } = keyOf('ES256');

  const read = await readSignedProof(await sign('ES256', { jwk: { use: 'sig', kid: 'any', ...publicJwk } }));

  assert.ok('jkt' in read);
  assert.equal(read.jkt, await calculateJwkThumbprint(publicJwk));
});

test('[DPA-01] another typ, a critical header, no key and an algorithm that is not offered are refused', async () => {
  const refused: Record<string, unknown>[] = [
    { typ: 'JWT' },
    { typ: undefined },
    { typ: 'at+jwt' },
    { typ: 'DPOP+JWT' },
    { alg: 'none' },
    { alg: 'HS256' },
    { alg: 'ES256K' },
    { alg: undefined },
    { alg: 'ES384' },
    { crit: ['exp'], exp: 1 },
    { jwk: undefined },
    { jwk: null },
    { jwk: 'key' },
    { jwk: [] },
    { jwk: {} },
    { jwk: undefined, jku: 'https://evil.example/keys', kid: 'k', x5c: ['x'] },
  ];
  for (const header of refused) assert.ok('unread' in (await readSignedProof(await forge('ES256', header))), JSON.stringify(header));
});

test('[DPA-01] a private, a symmetric or another key is refused, and so is a public key used as a secret', async () => {
  const { publicJwk, privateJwk } = keyOf('ES256');
  const { publicJwk: other } = keyOf('ES384');
  const symmetric = { kty: 'oct', k: 'AAAA' };
  for (const jwk of [privateJwk, { ...publicJwk, k: 'AAAA' }, { ...publicJwk, d: '' }, other, symmetric, { ...publicJwk, x: publicJwk.y, y: publicJwk.x }])
    assert.ok('unread' in (await readSignedProof(await forge('ES256', { jwk }))), JSON.stringify(jwk));

  const pem = await exportSPKI((await importJWK(keyOf('RS256').publicJwk, 'RS256', { extractable: true })) as Parameters<typeof exportSPKI>[0]);
  const input = [{ typ: 'dpop+jwt', alg: 'HS256', jwk: keyOf('RS256').publicJwk }, claims].map(encode).join('.');
  const confused = `${input}.${createHmac('sha256', pem).update(input).digest('base64url')}`;
  assert.ok('unread' in (await readSignedProof(confused)));
});

test('[DPA-01] RSA keys are 2048 to 4096 bits with the usual exponent: verifying must not cost more than asking', async () => {
  const { publicJwk } = keyOf('RS256');
  for (const jwk of [
    { ...publicJwk, e: publicJwk.n },
    { ...publicJwk, e: 'Aw' },
    { ...publicJwk, n: publicJwk.n?.slice(0, 170) },
    { ...publicJwk, n: 'A'.repeat(684) },
  ])
    assert.deepEqual(await readSignedProof(await forge('RS256', { jwk })), { unread: 'its jwk is not a public key' });
});

test('[DPA-01] two proofs in one header, a long one, and what is no JWT are refused', async () => {
  const one = await sign('ES256');
  const long = await sign('ES256', {}, { ...claims, more: 'x'.repeat(4096) });
  for (const header of [`${one}, ${one}`, `${one} `, `${one}.`, `${one}=`, '', 'a.b', '..', 'a.b.c', long])
    assert.ok('unread' in (await readSignedProof(header)), header.slice(0, 40));
});

test('[DPA-01] no changed character of a proof goes unnoticed', async () => {
  const good = await sign('ES256');
  await fc.assert(
    fc.asyncProperty(fc.nat(good.length - 1), fc.constantFrom(...'AZaz09-_.'), async (place, character) => {
      const changed = good.slice(0, place) + character + good.slice(place + 1);
      const read = await readSignedProof(changed);
      // The last character of a base64url part has bits that mean nothing.
      const meansTheSame = changed
        .split('.')
        .every((part, index) => Buffer.from(part, 'base64url').equals(Buffer.from(good.split('.')[index] ?? '', 'base64url')));
      assert.equal('unread' in read, !meansTheSame);
    }),
    { numRuns: 150 },
  );
});

test('[DPA-01] nothing a stranger can send makes reading fail', async () => {
  const member = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.object(),
    fc.constant(null),
    fc.constantFrom('dpop+jwt', 'ES256', 'RS256', 'EC', 'RSA', 'P-256', 'AQAB'),
  );
  const jwk = fc.dictionary(fc.constantFrom('kty', 'crv', 'x', 'y', 'n', 'e', 'use', 'key_ops', 'alg', 'ext'), member);
  const header = fc.record({ typ: member, alg: member, jwk: fc.oneof(member, jwk) }, { requiredKeys: [] });
  await fc.assert(
    fc.asyncProperty(header, fc.anything(), fc.string(), async (head, payload, signature) => {
      const token = `${encode(head)}.${encode(payload ?? null)}.${Buffer.from(signature).toString('base64url') || 'AA'}`;
      assert.ok('unread' in (await readSignedProof(token)));
    }),
    { numRuns: 200 },
  );
});

function keyOf(alg: string): Key {
  const key = keys.get(alg);
  assert.ok(key);
  return key;
}

async function sign(alg: string, header: Record<string, unknown> = {}, payload: unknown = claims): Promise<string> {
  const { publicJwk, privateJwk } = keyOf(alg);
  const signer = new CompactSign(Buffer.from(JSON.stringify(payload))).setProtectedHeader({ typ: 'dpop+jwt', alg, jwk: publicJwk, ...header });
  return signer.sign(await importJWK(privateJwk, alg));
}

/** A true ES256 or RS256 signature over a header that may say anything. */
async function forge(alg: string, header: Record<string, unknown>): Promise<string> {
  const { publicJwk, privateJwk } = keyOf(alg);
  const [head, payload] = [{ typ: 'dpop+jwt', alg, jwk: publicJwk, ...header }, claims].map(encode);
  const key = (await importJWK(privateJwk, alg)) as CryptoKey;
  const how = alg === 'ES256' ? { name: 'ECDSA', hash: 'SHA-256' } : 'RSASSA-PKCS1-v1_5';
  return `${head}.${payload}.${Buffer.from(await crypto.subtle.sign(how, key, Buffer.from(`${head}.${payload}`))).toString('base64url')}`;
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? String(inner) : inner)) ?? 'null').toString('base64url');
}
