import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { jwtHeader, signJwt } from '../crypto/jwt.ts';
import { checkTokenFits, maxTokenLength } from './token-size.ts';

const named = { issuer: 'https://auth.example.com/t/tenant', clientId: 'https://app.example/client.json', resource: 'https://files.example.com/mcp' };
const scopes = (count: number) => Array.from({ length: count }, (_, index) => `files:"ä${index}"`);

function fits(scope: string[]): boolean {
  try {
    checkTokenFits({ ...named, scope });
    return true;
  } catch {
    return false;
  }
}

test('[JWT-08] the largest token that is let through has at most 4096 characters, with every claim and the longest signature', () => {
  const most = Array.from({ length: 400 }, (_, index) => index).findLast((count) => fits(scopes(count))) ?? 0;
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const claims = {
    iss: named.issuer,
    sub: 'usr_0123456789abcdef0123456789abcdef',
    aud: named.resource,
    client_id: named.clientId,
    scope: scopes(most).join(' '),
    grant_id: 'grant_0123456789abcdef0123456789',
    jti: '0123456789abcdef0123456789abcdef',
    iat: 9_999_999_999,
    exp: 9_999_999_999,
    auth_time: 9_999_999_999,
    acr: 'aal2',
    amr: ['swk', 'user', 'mfa'],
    cnf: { jkt: '0123456789abcdef0123456789abcdef0123456789a' },
  };
  const token = signJwt(jwtHeader('RS256', '0123456789abcdef0123456789abcdef', 'at+jwt'), claims, 'RS256', privateKey);

  assert.ok(token.length <= maxTokenLength, `${token.length}`);
  assert.ok(token.length > maxTokenLength * 0.9, `${token.length} leaves much unused`);
  assert.equal(fits(scopes(most + 1)), false);
  assert.throws(() => checkTokenFits({ ...named, scope: scopes(most + 1) }), { code: 'invalid_scope' });
});
