/** A machine that proves itself with a key: a foreign signature is verified and its id written down, in place of a secret. */
import { createPrivateKey, randomUUID, sign } from 'node:crypto';
import { keyed, many, resource, scope } from '../subject.ts';
import { type HotPath, http } from './hot-path.ts';

const clientAssertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const header = encoded({ alg: 'ES256', kid: 'bench' });

export const path: HotPath = {
  name: 'POST /token client_credentials, private_key_jwt',
  goal: 0.1,
  supply: 'once',
  expect: 200,
  async prepare(subject, count) {
    const { key } = subject;
    if (key === undefined) return [];
    const assertion = signer(key.privateJwk, key.audience);
    return many(count, async () =>
      http(
        'POST',
        subject.paths.token,
        {},
        { grant_type: 'client_credentials', resource, scope, client_assertion_type: clientAssertionType, client_assertion: assertion() },
      ),
    );
  },
};

function signer(privateJwk: JsonWebKey, audience: string): () => string {
  const key = createPrivateKey({ key: privateJwk as Record<string, unknown>, format: 'jwk' });
  return () => {
    const iat = Math.floor(Date.now() / 1000);
    const input = `${header}.${encoded({ iss: keyed.id, sub: keyed.id, aud: audience, iat, exp: iat + 590, jti: randomUUID() })}`;
    return `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  };
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
