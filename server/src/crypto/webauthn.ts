/**
 * What an authenticator made and signed (WebAuthn Level 3 §7.1, §7.2), checked with node:crypto. Who made a key is not asked: attestation proves nothing here, so
 * no certificate is ever read. Challenges, origins, people and counters are the caller's.
 */
import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { decodeCBOR, decodePartialCBOR } from '@levischuck/tiny-cbor';

/** An answer to a request to sign, as checked text; everything is base64url. */
export type Assertion = { credentialId: string; clientDataJSON: string; authenticatorData: string; signature: string; userHandle?: string };
/** An answer to a request for a new key. */
export type Attestation = { credentialId: string; clientDataJSON: string; attestationObject: string; transports: string[] };

/** `publicKey` is the COSE key, in base64url. */
export type NewCredential = { publicKey: string; counter: number; aaguid: string; backupEligible: boolean; backedUp: boolean };
export type Signed = { counter: number; backupEligible: boolean; backedUp: boolean };

type Key = { algorithm: number; key: KeyObject };
/** A map of CBOR; what is in it is a stranger's. */
type Members = ReadonlyMap<unknown, unknown>;

/** COSE numbers (RFC 9053 §2, RFC 8812 §2) of the algorithms, and what node:crypto hashes with for each. */
const [eddsa, es256, rs256] = [-8, -7, -257] as const;
const digests: Record<number, 'sha256' | null> = { [eddsa]: null, [es256]: 'sha256', [rs256]: 'sha256' };

/** As we like them best. */
export const passkeyAlgorithms: readonly number[] = [eddsa, es256, rs256];

/** The key of a new credential for the relying party, whose person was verified; undefined when anything in it is not as it must be. */
export function verifyAttestation(given: Attestation, rpId: string): NewCredential | undefined {
  return refusedIfThrown(() => {
    const made = membersOf(readWhole(bytesOf(given.attestationObject)));
    const authData = Buffer.from(bytesIn(made, 'authData'));
    const { credential, ...said } = readAuthenticatorData(authData);
    if (!credential || credential.id.toString('base64url') !== given.credentialId || !isVerified(said, rpId)) return undefined;
    const key = publicKeyOf(credential.publicKey);
    if (!isPlain(made) && !vouchesForItself(made, signedBytes(authData, given), key)) return undefined;
    return { publicKey: credential.publicKey.toString('base64url'), counter: said.counter, aaguid: uuid(credential.aaguid), ...backupOf(said) };
  });
}

/** What the holder of the key signed, if they did and were verified by it; undefined otherwise. The counter is not judged: that is one act with storing it. */
export function verifyAssertion(given: Assertion, publicKey: string, rpId: string): Signed | undefined {
  return refusedIfThrown(() => {
    const authData = bytesOf(given.authenticatorData);
    const said = readAuthenticatorData(authData);
    const isSigned = isVerified(said, rpId) && isSignature(bytesOf(given.signature), signedBytes(authData, given), publicKeyOf(bytesOf(publicKey)));
    return isSigned ? { counter: said.counter, ...backupOf(said) } : undefined;
  });
}

/** Bits of the flags of authenticator data (§6.1). */
const [present, verified, backupEligible, backedUp, attested, extended] = [0x01, 0x04, 0x08, 0x10, 0x40, 0x80] as const;

type Said = { rpIdHash: Buffer; flags: number; counter: number };
type Credential = { aaguid: Buffer; id: Buffer; publicKey: Buffer };

/** §6.1, §6.5.1. @throws when it ends too early or goes on after its end */
function readAuthenticatorData(data: Buffer): Said & { credential?: Credential } {
  const said: Said = { rpIdHash: data.subarray(0, 32), flags: data.readUInt8(32), counter: data.readUInt32BE(33) };
  const keyAt = said.flags & attested ? 55 + data.readUInt16BE(53) : 37;
  const keyEnd = said.flags & attested ? endOfItem(data, keyAt) : keyAt;
  const end = said.flags & extended ? endOfItem(data, keyEnd) : keyEnd;
  if (end !== data.length) throw new RangeError('the authenticator data goes on after its end');
  if (!(said.flags & attested)) return said;
  return { ...said, credential: { aaguid: data.subarray(37, 53), id: data.subarray(55, keyAt), publicKey: data.subarray(keyAt, keyEnd) } };
}

/** Made for us, with somebody there whom the authenticator verified. A key that cannot leave its device has no copy. */
function isVerified({ rpIdHash, flags }: Said, rpId: string): boolean {
  const isSingle = !(flags & backupEligible);
  return Boolean(flags & present && flags & verified) && !(isSingle && flags & backedUp) && sha256(Buffer.from(rpId)).equals(rpIdHash);
}

function backupOf({ flags }: Said) {
  return { backupEligible: Boolean(flags & backupEligible), backedUp: Boolean(flags & backedUp) };
}

/** §8.7. */
function isPlain(made: Members): boolean {
  return made.get('fmt') === 'none' && membersOf(made.get('attStmt')).size === 0;
}

/** §8.2, self attestation. With a certificate it would be somebody else's word. */
function vouchesForItself(made: Members, signed: Buffer, key: Key): boolean {
  const statement = membersOf(made.get('attStmt'));
  return made.get('fmt') === 'packed' && !statement.has('x5c') && statement.get('alg') === key.algorithm && isSignature(bytesIn(statement, 'sig'), signed, key);
}

/** What is signed in both ceremonies. */
function signedBytes(authData: Buffer, { clientDataJSON }: Assertion | Attestation): Buffer {
  return Buffer.concat([authData, sha256(bytesOf(clientDataJSON))]);
}

function isSignature(signature: Uint8Array, signed: Buffer, { algorithm, key }: Key): boolean {
  return verify(digests[algorithm], signed, key, signature);
}

/** A COSE key of one of our algorithms. @throws when it is none, or is so large that checking with it would be work */
function publicKeyOf(bytes: Buffer): Key {
  const members = membersOf(readWhole(bytes));
  return { algorithm: Number(members.get(3)), key: createPublicKey({ key: jwkOf(members), format: 'jwk' }) };
}

/** RFC 9052 §7, RFC 9053 §7, RFC 8230 §4. */
function jwkOf(members: Members) {
  const [type, algorithm, curve] = [members.get(1), members.get(3), members.get(-1)];
  const member = (label: number, from: number, to = from) => {
    const bytes = bytesIn(members, label);
    if (bytes.length < from || bytes.length > to) throw new RangeError(`member ${label} of a key has ${bytes.length} bytes`);
    // RFC 8230 §4: what may be of any length begins with no zero, else a short number would look long.
    if (from < to && bytes[0] === 0) throw new RangeError(`member ${label} of a key begins with a zero`);
    return Buffer.from(bytes).toString('base64url');
  };
  if (algorithm === eddsa && type === 1 && curve === 6) return { kty: 'OKP', crv: 'Ed25519', x: member(-2, 32) };
  if (algorithm === es256 && type === 2 && curve === 1) return { kty: 'EC', crv: 'P-256', x: member(-2, 32), y: member(-3, 32) };
  if (algorithm === rs256 && type === 3) return { kty: 'RSA', n: member(-1, 256, 1024), e: member(-2, 1, 4) };
  throw new TypeError('not a key of our algorithms');
}

function readWhole(bytes: Buffer): unknown {
  return decodeCBOR(copyOf(bytes));
}

/** Where the item of CBOR ends that begins there: behind all bytes, where it was cut off. */
function endOfItem(bytes: Buffer, at: number): number {
  return at + decodePartialCBOR(copyOf(bytes), at)[1];
}

/** The reader of CBOR takes no Buffer, and reads as far as a length says: in a copy nothing lies behind our bytes. */
function copyOf(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes);
}

function membersOf(value: unknown): Members {
  if (!(value instanceof Map)) throw new TypeError('not a map');
  return value;
}

function bytesIn(members: Members, name: string | number): Uint8Array {
  const value = members.get(name);
  if (!(value instanceof Uint8Array)) throw new TypeError(`${name} is not bytes`);
  return value;
}

function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'base64url');
}

function uuid(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/** Whatever is wrong with bytes of a stranger is thrown by those who read them; nothing of it is our failure. */
function refusedIfThrown<T>(checked: () => T | undefined): T | undefined {
  try {
    return checked();
  } catch {
    return undefined;
  }
}
