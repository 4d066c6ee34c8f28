import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, test } from 'node:test';
import { createLocalJWKSet, jwtVerify } from 'jose';
import type { OAuthError } from '../errors.ts';
import { checksum, equalSecrets, sha256 } from './hash.ts';
import { instanceKeys, openUnder, SealBroken, sealUnder } from './instance-keys.ts';
import { type Algorithm, decodeJwt, derToJose, joseToDer, jwtHeader, signJwt, verifySignature } from './jwt.ts';
import { hashPassword, verifyPassword } from './password.ts';

describe('hashes', () => {
  test('SHA-256 of the RFC 7636 verifier is its challenge', () => {
    assert.equal(sha256('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'), 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM');
  });

  test('the checksum is CRC-32 (its check value is cbf43926) and sees every changed letter', () => {
    assert.equal(checksum('123456789'), (0xcbf43926).toString(36).padStart(7, '0'));
    assert.notEqual(checksum('sk_a'), checksum('sk_b'));
  });

  test('[TOK-08] secrets are compared whole', () => {
    assert.ok(equalSecrets('abc', 'abc'));
    for (const other of ['abd', 'ab', 'abcd', '']) assert.ok(!equalSecrets('abc', other));
  });
});

describe('instance keys', () => {
  const keys = instanceKeys('a test secret that is long enough to pass');

  test('[KEY-06] what is sealed opens only for the same purpose and secret, and never when changed', () => {
    const sealed = keys.seal('signing-key 1', 'private');

    assert.equal(keys.open('signing-key 1', sealed), 'private');
    assert.ok(!sealed.includes(Buffer.from('private').toString('base64url')));
    assert.throws(() => keys.open('signing-key 2', sealed), SealBroken);
    assert.throws(() => instanceKeys('another test secret that is long enough').open('signing-key 1', sealed), SealBroken);
    const changed = Buffer.from(sealed, 'base64url');
    changed[14] = (changed[14] ?? 0) ^ 1;
    assert.throws(() => keys.open('signing-key 1', changed.toString('base64url')), SealBroken);
    assert.throws(() => keys.open('signing-key 1', ''), SealBroken);
  });

  test('sealing under a token needs that token', () => {
    const sealed = sealUnder('rt_old', 'answer', 'rt_new');

    assert.equal(openUnder('rt_old', 'answer', sealed), 'rt_new');
    assert.throws(() => openUnder('rt_other', 'answer', sealed), SealBroken);
  });

  test('a MAC depends on where one part ends and the next begins', () => {
    assert.notEqual(keys.mac('p', 'ab', 'c'), keys.mac('p', 'a', 'bc'));
    assert.equal(keys.mac('p', 'a'), keys.mac('p', 'a'));
  });
});

describe('JWT', () => {
  const pairs = {
    ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
    EdDSA: () => generateKeyPairSync('ed25519'),
  };

  test('[KEY-07] what we sign with ES256, RS256 and EdDSA, jose verifies', async () => {
    for (const [algorithm, generate] of Object.entries(pairs) as [Algorithm, () => ReturnType<(typeof pairs)['ES256']>][]) {
      const { privateKey, publicKey } = generate();
      const jwks = createLocalJWKSet({ keys: [{ ...(publicKey.export({ format: 'jwk' }) as { kty: string }), kid: 'k', alg: algorithm }] });
      for (let round = 0; round < 20; round++) {
        const token = signJwt(jwtHeader(algorithm, 'k', 'at+jwt'), { round, exp: 4_000_000_000 }, algorithm, privateKey);
        const { payload } = await jwtVerify(token, jwks, { typ: 'at+jwt' });
        assert.equal(payload['round'], round);
        const jwt = decodeJwt(token);
        assert.ok(jwt && verifySignature(jwt.input, jwt.signature, algorithm, publicKey));
        assert.ok(!verifySignature(`${jwt.input}x`, jwt.signature, algorithm, publicKey));
      }
    }
  });

  test('DER and JOSE signatures convert both ways, also with leading zeros', () => {
    for (const jose of [
      Buffer.alloc(64, 0xff),
      Buffer.concat([Buffer.alloc(31), Buffer.from([1]), Buffer.alloc(32, 0x7f)]),
      Buffer.concat([Buffer.alloc(30), Buffer.from([0, 0x80]), Buffer.alloc(31), Buffer.from([1])]),
    ]) {
      assert.deepEqual(derToJose(joseToDer(jose)), jose);
    }
  });

  test('[KEY-05] what is no compact JWT, or has a critical header, is not read', () => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    for (const bad of [
      '',
      'a.b',
      'a.b.c',
      'a.b.c.d',
      `${part([])}.${part({})}.x`,
      `${part({ alg: 'ES256', crit: ['x'] })}.${part({})}.x`,
      `${part({})}.${part({})}.x`,
      `${part({ alg: 'ES256' })}.${part({})}.x y`,
      `${part({ alg: 'ES256' })}.${'a'.repeat(9000)}.x`,
    ])
      assert.equal(decodeJwt(bad), undefined);
  });
});

describe('passwords', () => {
  test('[RATE-06] a hundred are judged at once, the next ones are told to come back, and then all is as before', async () => {
    const cheap = `$scrypt$ln=4,r=1,p=1$c2FsdHNhbHQ$${'A'.repeat(43)}`;
    const judged = await Promise.allSettled(Array.from({ length: 110 }, () => verifyPassword('x', cheap)));

    assert.equal(judged.filter(({ status }) => status === 'fulfilled').length, 100);
    const [busy] = judged.filter((one) => one.status === 'rejected').map(({ reason }) => reason as OAuthError);
    assert.deepEqual([busy?.code, busy?.headers['Retry-After']], ['temporarily_unavailable', '2']);
    assert.deepEqual(await verifyPassword('x', cheap), { matches: false, stale: true });
  });

  test('[LOG-06] scrypt with its parameters in the hash; another password, a longer one and a broken hash do not match', async () => {
    const hash = await hashPassword('correct horse battery staple');

    assert.match(hash, /^\$scrypt\$ln=15,r=8,p=3\$/);
    assert.deepEqual(await verifyPassword('correct horse battery staple', hash), { matches: true, stale: false });
    assert.equal((await verifyPassword('correct horse battery stapl', hash)).matches, false);
    assert.equal((await verifyPassword('x'.repeat(1025), hash)).matches, false);
    assert.equal((await verifyPassword('x', 'plain')).matches, false);
  });

  test('a hash with older parameters still matches and says that it is stale', async () => {
    const old = '$scrypt$ln=4,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA$XVt8DKpp2frKVyuS33+s2sLwDbd3zW5Oyvy9zOuKYrM';
    const { matches, stale } = await verifyPassword('not the one', old);

    assert.deepEqual({ matches, stale }, { matches: false, stale: true });
  });
});
