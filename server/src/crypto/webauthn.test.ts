import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { describe, test } from 'node:test';
import { type Authenticator, authenticator, cbor } from '../../test/authenticator.ts';
import { issuer } from '../../test/harness.ts';
import { type Assertion, type Attestation, type NewCredential, verifyAssertion, verifyAttestation } from './webauthn.ts';

const rpId = new URL(issuer).hostname;
const text = (bytes: Buffer) => bytes.toString('base64url');
const request = { challenge: 'challenge', user: { id: 'handle' } };

function answer<Answer>(credential: string): Answer {
  const { id, response } = JSON.parse(credential);
  return { credentialId: id, ...response };
}

function registered(key: Authenticator): NewCredential {
  const made = verifyAttestation(answer<Attestation>(key.create(request)), rpId);
  assert.ok(made);
  return made;
}

for (const algorithm of ['EdDSA', 'ES256', 'RS256'] as const) {
  test(`a key of ${algorithm} is taken, by itself or vouching for itself, and what it signs is believed`, () => {
    const key = authenticator({ algorithm, counts: true, aaguid: Buffer.from('00112233445566778899aabbccddeeff', 'hex') });
    const made = registered(key);
    const vouching = answer<Attestation>(key.create(request, { format: 'packed', statement: 'signed' }));

    assert.deepEqual(
      { ...made, publicKey: '' },
      { publicKey: '', counter: 0, aaguid: '00112233-4455-6677-8899-aabbccddeeff', backupEligible: true, backedUp: true },
    );
    assert.deepEqual(verifyAttestation(vouching, rpId), made);
    const signed = answer<Assertion>(key.get(request));
    assert.deepEqual(verifyAssertion(signed, made.publicKey, rpId), { counter: 1, backupEligible: true, backedUp: true });
    assert.equal(verifyAssertion(signed, registered(authenticator({ algorithm })).publicKey, rpId), undefined);
    assert.equal(verifyAssertion(signed, made.publicKey, 'evil.example'), undefined);
    assert.equal(verifyAssertion({ ...signed, clientDataJSON: text(Buffer.from('{}')) }, made.publicKey, rpId), undefined);
  });
}

describe('a new key', () => {
  const jwkOf = (pair: { publicKey: { export(how: { format: 'jwk' }): { x?: string; y?: string; n?: string } } }) => pair.publicKey.export({ format: 'jwk' });
  const { x = '', y = '' } = jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }));
  const { n = '' } = jwkOf(generateKeyPairSync('rsa', { modulusLength: 2048 }));
  const bytes = (value: string) => Buffer.from(value, 'base64url');
  const id = randomBytes(16);

  /** Authenticator data with these members of a COSE key, or without a key. */
  function authData(members?: [number, unknown][], flags = 0x5d, after: Buffer = Buffer.alloc(0)) {
    const head = Buffer.concat([createHash('sha256').update(rpId).digest(), Buffer.from([flags, 0, 0, 0, 0])]);
    return members ? Buffer.concat([head, Buffer.alloc(16), Buffer.from([0, id.length]), id, cbor(new Map(members)), after]) : head;
  }

  function madeOf(data: unknown, more: [string, unknown][] = [['attStmt', new Map()]], fmt = 'none') {
    const attestationObject = text(cbor(new Map<string, unknown>([['fmt', fmt], ...more, ['authData', data]])));
    return verifyAttestation({ credentialId: text(id), clientDataJSON: text(Buffer.from('{}')), attestationObject, transports: [] }, rpId);
  }

  // biome-ignore format: one line, one key
  const good = [[1, 2], [3, -7], [-1, 1], [-2, bytes(x)], [-3, bytes(y)]] as [number, unknown][];
  const but = (...members: [number, unknown][]) => madeOf(authData([...new Map([...good, ...members])]));
  // biome-ignore format: one line, one key
  const rsa = (modulus: Buffer, exponent = Buffer.from([1, 0, 1])) => madeOf(authData([[1, 3], [3, -257], [-1, modulus], [-2, exponent]]));
  const object = (attestationObject: Buffer) =>
    verifyAttestation({ credentialId: text(id), clientDataJSON: 'AA', attestationObject: text(attestationObject), transports: [] }, rpId);

  test('is taken where all of it is as it must be', () => {
    assert.ok(but());
    assert.ok(rsa(bytes(n)));
    assert.ok(madeOf(authData(good, 0xdd, cbor(new Map([['credProtect', 2]])))));
  });

  const refused: [what: string, made: () => NewCredential | undefined][] = [
    ['without a key', () => madeOf(authData(undefined, 0x1d))],
    ['that says it carries a key and ends', () => madeOf(authData(undefined, 0x5d))],
    ['with bytes after it', () => madeOf(authData(good, 0x5d, Buffer.alloc(1)))],
    ['cut off in its last number', () => madeOf(authData(good).subarray(0, -1))],
    ['without the extensions that it announces', () => madeOf(authData(good, 0xdd))],
    ['that is copied though it cannot leave its device', () => madeOf(authData(good, 0x55))],
    ['of nobody present', () => madeOf(authData(good, 0x5c))],
    ['of a person who was not verified', () => madeOf(authData(good, 0x59))],
    ['of another curve', () => but([-1, 2])],
    ['whose type is not that of its algorithm', () => but([1, 1])],
    ['of an algorithm that was not asked for', () => but([3, -35])],
    ['of a point that is not on the curve', () => but([-3, bytes(x)])],
    ['whose coordinate is short', () => but([-2, bytes(x).subarray(1)])],
    ['whose coordinate is text', () => but([-2, x])],
    ['of RSA with 1024 bits', () => rsa(bytes(n).subarray(128))],
    ['of RSA with 16 384 bits', () => rsa(Buffer.alloc(2048, 0xff))],
    ['of RSA with an exponent as long as the rest', () => rsa(bytes(n), bytes(n))],
    ['without a statement', () => madeOf(authData(good), [])],
    ['with an empty statement of another kind', () => madeOf(authData(good), undefined, 'packed')],
    ['that states nothing and something', () => madeOf(authData(good), [['attStmt', new Map([['alg', -7]])]])],
    ['whose statement is a list', () => madeOf(authData(good), [['attStmt', []]])],
    ['whose signature of itself is text', () => madeOf(authData(good), [['attStmt', new Map(Object.entries({ alg: -7, sig: 'x' }))]], 'packed')],
    ['whose data is text', () => madeOf('x')],
    ['that is a number', () => object(cbor(1))],
    ['that is nested deeply', () => object(Buffer.alloc(12_000, 0x81))],
  ];
  for (const [what, made] of refused) {
    test(`${what} is not taken`, () => {
      assert.equal(made(), undefined);
    });
  }
});

describe('an ECDSA signature', () => {
  const key = authenticator();
  const given = answer<Assertion>(key.get(request));
  const signed = Buffer.concat([
    Buffer.from(given.authenticatorData, 'base64url'),
    createHash('sha256').update(Buffer.from(given.clientDataJSON, 'base64url')).digest(),
  ]);
  const { publicKey } = registered(key);
  const verified = (signature: Buffer) => verifyAssertion({ ...given, signature: text(signature) }, publicKey, rpId);

  test('counts in the one spelling that DER allows, whatever is changed in its tags and lengths', () => {
    const signature = sign('sha256', signed, key.key);
    assert.notEqual(verified(signature), undefined);

    const second = 4 + (signature[3] ?? 0);
    for (const at of [0, 1, 2, 3, second, second + 1])
      for (let by = 1; by < 256; by++) {
        const changed = Buffer.from(signature);
        changed[at] = (changed[at] ?? 0) ^ by;
        assert.equal(verified(changed), undefined, `byte ${at} is ${changed[at]} instead of ${signature[at]}`);
      }
    const longer = Buffer.concat([Buffer.from([0x30, (signature[1] ?? 0) + 1, 0x02, (signature[3] ?? 0) + 1, 0]), signature.subarray(4)]);
    for (const other of [longer, Buffer.concat([signature, Buffer.alloc(1)]), signature.subarray(0, -1), Buffer.alloc(0)])
      assert.equal(verified(other), undefined, other.toString('hex'));
  });

  test('is good when its numbers are shorter or longer than usual', () => {
    const lengths = new Set<number>();
    for (let round = 0; round < 2000 && lengths.size < 4; round++) {
      const signature = sign('sha256', signed, key.key);
      if (lengths.has(signature.length)) continue;
      lengths.add(signature.length);
      assert.notEqual(verified(signature), undefined, signature.toString('hex'));
    }
    assert.ok(lengths.size >= 3);
  });
});
