/**
 * An authenticator in software (WebAuthn §6): makes keys and signs with them, honestly or in any way a test wants it to lie. It speaks the JSON that the script of
 * the pages hands over.
 */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { issuer } from './harness.ts';

export type Lies = {
  origin?: string;
  rpId?: string;
  type?: string;
  crossOrigin?: boolean;
  /** Whether the person was verified. */
  verified?: boolean;
  present?: boolean;
  counter?: number;
  eligible?: boolean;
  userHandle?: string | null;
  /** The key of somebody else. */
  key?: KeyObject;
  credentialId?: string;
  format?: string;
  /** What it states about itself (§6.5): signed with the new key, or with a chain of certificates too. */
  statement?: 'signed' | 'certified';
  /** The algorithm that the statement names. */
  alg?: number;
};

export type Authenticator = {
  readonly credentialId: string;
  readonly key: KeyObject;
  /** Where the signature counter stands; 0 stays 0. */
  counter: number;
  /** Answers a request for a new key. */
  create(request: { challenge: string; user: { id: string } }, lies?: Lies): string;
  /** Answers a request to sign. */
  get(request: { challenge: string }, lies?: Lies): string;
};

const pairs = {
  EdDSA: () => generateKeyPairSync('ed25519'),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
};

const numbers = { EdDSA: -8, ES256: -7, RS256: -257 };

type Made = { algorithm?: keyof typeof pairs; counts?: boolean; synced?: boolean; aaguid?: Buffer };

export function authenticator({ algorithm = 'ES256', counts = false, synced = true, aaguid = Buffer.alloc(16) }: Made = {}): Authenticator {
  const { privateKey: key, publicKey } = pairs[algorithm]();
  const id = randomBytes(32);
  let handle: string | undefined;
  const self: Authenticator = {
    credentialId: id.toString('base64url'),
    key,
    counter: 0,
    create({ challenge, user }, lies = {}) {
      handle = user.id;
      const length = Buffer.alloc(2);
      length.writeUInt16BE(id.length);
      const authData = Buffer.concat([authenticatorData({ eligible: synced, counter: self.counter, ...lies }, 0x40), aaguid, length, id, coseKey(publicKey)]);
      const clientDataJSON = clientData('webauthn.create', challenge, lies);
      const attestationObject = cbor(
        new Map<string, unknown>([
          ['fmt', lies.format ?? 'none'],
          ['attStmt', statementOf(lies, lies.alg ?? numbers[algorithm], signed(authData, clientDataJSON, lies.key ?? key))],
          ['authData', authData],
        ]),
      );
      const response = {
        clientDataJSON,
        attestationObject: attestationObject.toString('base64url'),
        transports: ['internal', 'hybrid', 'made-up'],
      };
      return credential(lies.credentialId ?? self.credentialId, response);
    },
    get({ challenge }, lies = {}) {
      if (counts) self.counter += 1;
      const authData = authenticatorData({ eligible: synced, counter: self.counter, ...lies });
      const clientDataJSON = clientData('webauthn.get', challenge, lies);
      const response = {
        clientDataJSON,
        authenticatorData: authData.toString('base64url'),
        signature: signed(authData, clientDataJSON, lies.key ?? key).toString('base64url'),
        userHandle: lies.userHandle === undefined ? handle : lies.userHandle,
      };
      return credential(lies.credentialId ?? self.credentialId, response);
    },
  };
  return self;
}

function credential(id: string, response: Record<string, unknown>): string {
  return JSON.stringify({ id, rawId: id, type: 'public-key', authenticatorAttachment: 'platform', clientExtensionResults: {}, response });
}

function clientData(type: string, challenge: string, lies: Lies): string {
  const data = { type: lies.type ?? type, challenge, origin: lies.origin ?? issuer, crossOrigin: lies.crossOrigin ?? false };
  return Buffer.from(JSON.stringify(data)).toString('base64url');
}

/** §6.5.5 and §7.2: over the authenticator data and the hash of the client data. */
function signed(authData: Buffer, clientDataJSON: string, key: KeyObject): Buffer {
  const hash = createHash('sha256').update(Buffer.from(clientDataJSON, 'base64url')).digest();
  return sign(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', Buffer.concat([authData, hash]), key);
}

/** §8.2, a packed attestation statement; empty where nothing is stated. */
function statementOf({ statement }: Lies, alg: number, sig: Buffer): Map<string, unknown> {
  if (statement === undefined) return new Map();
  const self: [string, unknown][] = [
    ['alg', alg],
    ['sig', sig],
  ];
  return new Map(statement === 'signed' ? self : [...self, ['x5c', [randomBytes(300)]]]);
}

/** §6.1: hash of the relying party, flags, counter. */
function authenticatorData({ rpId = new URL(issuer).hostname, present = true, verified = true, eligible, counter = 0 }: Lies, more = 0): Buffer {
  const flags = (present ? 0x01 : 0) | (verified ? 0x04 : 0) | (eligible ? 0x18 : 0) | more;
  const tail = Buffer.alloc(5);
  tail.writeUInt8(flags);
  tail.writeUInt32BE(counter, 1);
  return Buffer.concat([createHash('sha256').update(rpId).digest(), tail]);
}

/** RFC 9053 §7, RFC 8230 §4. */
function coseKey(publicKey: KeyObject): Buffer {
  const { x = '', y = '', n = '', e = '' } = publicKey.export({ format: 'jwk' });
  const bytes = (text: string) => Buffer.from(text, 'base64url');
  const members: Record<string, [number, unknown][]> = {
    ed25519: [
      [1, 1],
      [3, -8],
      [-1, 6],
      [-2, bytes(x)],
    ],
    ec: [
      [1, 2],
      [3, -7],
      [-1, 1],
      [-2, bytes(x)],
      [-3, bytes(y)],
    ],
    rsa: [
      [1, 3],
      [3, -257],
      [-1, bytes(n)],
      [-2, bytes(e)],
    ],
  };
  return cbor(new Map(members[publicKey.asymmetricKeyType ?? '']));
}

/** As much of RFC 8949 as an authenticator needs. */
export function cbor(value: unknown): Buffer {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  if (Array.isArray(value)) return Buffer.concat([head(4, value.length), ...value.map(cbor)]);
  const entries = [...(value as Map<unknown, unknown>)];
  return Buffer.concat([head(5, entries.length), ...entries.flatMap(([key, one]) => [cbor(key), cbor(one)])]);
}

function head(major: number, size: number): Buffer {
  if (size < 24) return Buffer.from([(major << 5) | size]);
  if (size < 256) return Buffer.from([(major << 5) | 24, size]);
  return Buffer.from([(major << 5) | 25, size >> 8, size & 0xff]);
}
