import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sha256 } from '../crypto/hash.ts';
import { OAuthError } from '../errors.ts';
import { checkProofClaims, checkThumbprint } from './dpop.ts';

const now = 1_800_000_000;
const request = { method: 'POST', url: 'https://auth.example.com/token', now };
const claims = { htm: 'POST', htu: 'https://auth.example.com/token', iat: now, jti: 'one' };

test('[DPA-01] a proof is for one method and one address at one time', () => {
  assert.deepEqual(checkProofClaims(claims, request), { jti: 'one', expiresAt: now + 301, nonce: undefined });

  for (const wrong of [
    { htm: 'GET' },
    { htm: 'post' },
    { htm: undefined },
    { htu: undefined },
    { htu: 7 },
    { iat: undefined },
    { iat: String(now) },
    { iat: Number.NaN },
  ])
    assert.throws(() => checkProofClaims({ ...claims, ...wrong }, request), isRefusal, JSON.stringify(wrong));
});

test('[DPA-01] iat may be five minutes off, to the second, either way', () => {
  for (const iat of [now - 300, now, now + 300]) assert.equal(checkProofClaims({ ...claims, iat }, request).expiresAt, iat + 301);

  for (const iat of [now - 301, now + 301, now - 300.5]) assert.throws(() => checkProofClaims({ ...claims, iat }, request), isRefusal);
});

test('[DPA-08] scheme, host and default port of htu are compared as URLs, the path as it is, query and fragment not at all', () => {
  const same = [
    'HTTPS://Auth.Example.com/token',
    'https://auth.example.com:443/token',
    'https://auth.example.com/token?a=b',
    'https://auth.example.com/token#x',
  ];
  for (const htu of same) assert.equal(checkProofClaims({ ...claims, htu }, request).jti, 'one', htu);

  const others = [
    'http://auth.example.com/token',
    'https://auth.example.com:8443/token',
    'https://auth.example.com/token/',
    'https://auth.example.com/Token',
    'https://auth.example.com//token',
    'https://auth.example.com/%74oken',
    'https://auth.example.com.evil.example/token',
    'https://auth.example.com@evil.example/token',
    'https://user@auth.example.com/token',
    'https:auth.example.com/token',
    '/token',
    '',
  ];
  for (const htu of others) assert.throws(() => checkProofClaims({ ...claims, htu }, request), isRefusal, htu);
});

test('[DPA-06] a jti is a string of 1 to 128 bytes', () => {
  for (const jti of ['x', 'x'.repeat(128), 'é'.repeat(64)]) assert.equal(checkProofClaims({ ...claims, jti }, request).jti, jti);

  for (const jti of [undefined, null, 7, '', 'x'.repeat(129), 'é'.repeat(65), ['x']])
    assert.throws(() => checkProofClaims({ ...claims, jti }, request), isRefusal);
});

test('[DPR-01] with an access token the proof names its hash', () => {
  const withToken = { ...request, accessToken: 'at' };

  assert.equal(checkProofClaims({ ...claims, ath: sha256('at') }, withToken).jti, 'one');
  for (const ath of [undefined, '', sha256('other'), 'at']) assert.throws(() => checkProofClaims({ ...claims, ath }, withToken), isRefusal);
});

test('[DPA-05] dpop_jkt is a SHA-256 thumbprint in base64url', () => {
  assert.equal(checkThumbprint(undefined), undefined);
  assert.equal(checkThumbprint(sha256('key')), sha256('key'));
  for (const wrong of ['short', `${sha256('key')}=`, sha256('key').replace(/.$/, '!')])
    assert.throws(() => checkThumbprint(wrong), { code: 'invalid_request' });
});

test('[DPA-01] whatever the claims are, they are refused or fit', () => {
  const value = fc.oneof(fc.string(), fc.double(), fc.constant(null), fc.boolean(), fc.object(), fc.webUrl(), fc.constantFrom('POST', claims.htu, now));
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom('htm', 'htu', 'iat', 'jti', 'ath', 'nonce'), value), (given) => {
      try {
        checkProofClaims(given, request);
      } catch (error) {
        return isRefusal(error);
      }
      return given.htm === 'POST' && Math.abs(Number(given.iat) - now) <= 300 && new URL(String(given.htu)).host === 'auth.example.com';
    }),
  );
});

function isRefusal(error: unknown): boolean {
  return error instanceof OAuthError && error.code === 'invalid_dpop_proof' && /^[\x20-\x7e]+$/.test(error.message);
}
