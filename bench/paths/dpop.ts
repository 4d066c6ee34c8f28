/** A machine gets a token bound to its key: a foreign signature is verified and its id written down, beside what client_credentials costs. */
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { machine, many, resource, scope } from '../subject.ts';
import { basic, type HotPath, http } from './hot-path.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const header = encoded({ typ: 'dpop+jwt', alg: 'ES256', jwk: publicKey.export({ format: 'jwk' }) });

export const path: HotPath = {
  name: 'POST /token client_credentials, DPoP',
  goal: 0.1,
  supply: 'once',
  expect: 200,
  async prepare(subject, count) {
    const { dpop: htu } = subject.paths;
    if (htu === undefined) return [];
    return many(count, async () => {
      const headers = { ...basic(machine.id, machine.secret), DPoP: proof(htu) };
      return http('POST', subject.paths.token, headers, { grant_type: 'client_credentials', resource, scope });
    });
  },
};

function proof(htu: string): string {
  const input = `${header}.${encoded({ jti: randomUUID(), htm: 'POST', htu, iat: Math.floor(Date.now() / 1000) })}`;
  return `${input}.${sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
