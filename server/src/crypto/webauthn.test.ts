import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import { verifyAssertion } from './webauthn.ts';

const text = (bytes: Buffer) => bytes.toString('base64url');
const expected = { challenge: text(Buffer.from('challenge')), origin: 'https://auth.example.com', rpId: 'auth.example.com' };
const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const { x = '', y = '' } = pair.publicKey.export({ format: 'jwk' });
const coordinates = [x, y].map((each) => Buffer.from(each, 'base64url'));
const publicKey = text(
  Buffer.concat([Buffer.from('a5010203262001215820', 'hex'), coordinates[0] ?? '', Buffer.from('225820', 'hex'), coordinates[1] ?? ''].map(Buffer.from)),
);
const clientData = Buffer.from(JSON.stringify({ type: 'webauthn.get', challenge: expected.challenge, origin: expected.origin }));
const authenticatorData = Buffer.concat([createHash('sha256').update(expected.rpId).digest(), Buffer.from([0x05, 0, 0, 0, 0])]);
const signed = Buffer.concat([authenticatorData, createHash('sha256').update(clientData).digest()]);

function verified(signature: Buffer) {
  const given = { credentialId: 'AAAA', clientDataJSON: text(clientData), authenticatorData: text(authenticatorData), signature: text(signature) };
  return verifyAssertion(given, publicKey, expected);
}

test('an ECDSA signature counts in the one spelling that DER allows, whatever is changed in its tags and lengths', async () => {
  const signature = sign('sha256', signed, pair.privateKey);
  assert.notEqual(await verified(signature), undefined);

  const second = 4 + (signature[3] ?? 0);
  for (const at of [0, 1, 2, 3, second, second + 1])
    for (let by = 1; by < 256; by++) {
      const changed = Buffer.from(signature);
      changed[at] = (changed[at] ?? 0) ^ by;
      assert.equal(await verified(changed), undefined, `byte ${at} is ${changed[at]} instead of ${signature[at]}`);
    }
  const longer = Buffer.concat([Buffer.from([0x30, (signature[1] ?? 0) + 1, 0x02, (signature[3] ?? 0) + 1, 0]), signature.subarray(4)]);
  for (const other of [longer, Buffer.concat([signature, Buffer.alloc(1)]), signature.subarray(0, -1), Buffer.alloc(0)])
    assert.equal(await verified(other), undefined, other.toString('hex'));
});

test('signatures whose numbers are shorter or longer than usual are good', async () => {
  const lengths = new Set<number>();
  for (let round = 0; round < 2000 && lengths.size < 4; round++) {
    const signature = sign('sha256', signed, pair.privateKey);
    if (lengths.has(signature.length)) continue;
    lengths.add(signature.length);
    assert.notEqual(await verified(signature), undefined, signature.toString('hex'));
  }
  assert.ok(lengths.size >= 3);
});
