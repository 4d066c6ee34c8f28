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
    ['of RSA with 1024 bits behind as many zeros', () => rsa(Buffer.concat([Buffer.alloc(128), bytes(n).subarray(128)]))],
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

describe('the test vectors of the standard (WebAuthn Level 3 §16)', () => {
  const hex = (bytes: string) => text(Buffer.from(bytes, 'hex'));
  const rp = 'example.org';
  const made = (credentialId: string, clientDataJSON: string, attestationObject: string) =>
    verifyAttestation({ credentialId: hex(credentialId), clientDataJSON: hex(clientDataJSON), attestationObject: hex(attestationObject), transports: [] }, rp);

  test('ES256 with self attestation is taken', () => {
    const taken = made(
      '455ef34e2043a87db3d4afeb39bbcb6cc32df9347c789a865ecdca129cbef58c',
      '7b2274797065223a22776562617574686e2e637265617465222c226368616c6c656e6765223a2265476e4374334c55745936366b336a506a796e6962506b31716e666644616966715a774c33417032392d55222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a66616c73652c22657874726144617461223a22636c69656e74446174614a534f4e206d617920626520657874656e6465642077697468206164646974696f6e616c206669656c647320696e20746865206675747572652c207375636820617320746869733a205539685458764b453255526b4d6e625f307859485667227d',
      'a363666d74667061636b65646761747453746d74a263616c672663736967584630440220067a20754ab925005dbf378097c92120031581c73228d1fb4f5b881bcd7da98302207fc7b147558c7c0eba3af18bd9d121fa3d3a26d17fe3f220272178f473b6006d68617574684461746158a4bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b55d00000000df850e09db6afbdfab51697791506cfc0020455ef34e2043a87db3d4afeb39bbcb6cc32df9347c789a865ecdca129cbef58ca5010203262001215820eb151c8176b225cc651559fecf07af450fd85802046656b34c18f6cf193843c5225820927b8aa427a2be1b8834d233a2d34f61f13bfd44119c325d5896e183fee484f2',
    );

    assert.equal(taken?.aaguid, 'df850e09-db6a-fbdf-ab51-697791506cfc');
    assert.deepEqual([taken?.backupEligible, taken?.backedUp, taken?.counter], [true, true, 0]);
  });

  test('ES256 without attestation is taken, and what it signs is believed', () => {
    const taken = made(
      '6e1050c0d2ca2f07c755cb2c66a74c64fa43065c18f938354d9915db2bd5ce57',
      '7b7d',
      'a363666d74646e6f6e656761747453746d74a068617574684461746158a4bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b54500000000883f4f6014f19c09d87aa38123be48d000206e1050c0d2ca2f07c755cb2c66a74c64fa43065c18f938354d9915db2bd5ce57a501020326200121582022200a473f90b11078851550d03b4e44a2279f8c4eca27b3153dedfe03e4e97d225820cbd0be95e746ad6f5a8191be11756e4c0420e72f65b466d39bc56b8b123a9c6e',
    );
    const signed = {
      credentialId: hex('6e1050c0d2ca2f07c755cb2c66a74c64fa43065c18f938354d9915db2bd5ce57'),
      authenticatorData: hex('bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b50500000000'),
      clientDataJSON: hex(
        '7b2274797065223a22776562617574686e2e676574222c226368616c6c656e6765223a226832716c463771445f65356c5f505f62796b7945377135645650674547685f49584a6b655737736e4d5463222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a747275652c22657874726144617461223a22636c69656e74446174614a534f4e206d617920626520657874656e6465642077697468206164646974696f6e616c206669656c647320696e20746865206675747572652c207375636820617320746869733a2039327063545644304162792d713464746d6a36656667227d',
      ),
      signature: hex(
        '3046022100eb12fcf23b12764c0f122e22371fab92e283879fd798f38ee1841c951b6e40e7022100c76237ff9db77b3c56f30837cda6a09acfa2e915544e609c0733b1184036d1cf',
      ),
    };

    assert.ok(taken);
    assert.deepEqual(verifyAssertion(signed, taken.publicKey, rp), { counter: 0, backupEligible: false, backedUp: false });
  });

  test('ES256 without attestation, of a person who was not verified, is not taken', () => {
    const object =
      'a363666d74646e6f6e656761747453746d74a068617574684461746158a4bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b559000000008446ccb9ab1db374750b2367ff6f3a1f0020f91f391db4c9b2fde0ea70189cba3fb63f579ba6122b33ad94ff3ec330084be4a5010203262001215820afefa16f97ca9b2d23eb86ccb64098d20db90856062eb249c33a9b672f26df61225820930a56b87a2fca66334b03458abf879717c12cc68ed73290af2e2664796b9220';

    assert.equal(made('f91f391db4c9b2fde0ea70189cba3fb63f579ba6122b33ad94ff3ec330084be4', '7b7d', object), undefined);
  });
});
