/**
 * What an authenticator made and signed (WebAuthn Level 3 §7), verified by @simplewebauthn/server, which is loaded when the first passkey comes by. Who made a
 * key is not asked: attestation proves nothing here, so no certificate is ever read. Challenges, people and counters are the caller's.
 */

/** An answer to a request to sign, as checked text; everything is base64url. */
export type Assertion = { credentialId: string; clientDataJSON: string; authenticatorData: string; signature: string; userHandle?: string };
/** An answer to a request for a new key. */
export type Attestation = { credentialId: string; clientDataJSON: string; attestationObject: string; transports: string[] };
/** What must be in it: our challenge, our one origin, our relying party. */
export type Expected = { challenge: string; origin: string; rpId: string };

export type NewCredential = { publicKey: string; counter: number; aaguid: string; backupEligible: boolean; backedUp: boolean };
export type Signed = { counter: number; backupEligible: boolean; backedUp: boolean };

/** COSE numbers of EdDSA, ES256 and RS256, as we like them best. */
export const passkeyAlgorithms: readonly number[] = [-8, -7, -257];

/** Its member of a COSE key (RFC 9052 §7.1). */
const coseAlgorithm = 3;
const es256 = -7;

const library = () => import('@simplewebauthn/server');

/** The key of a new credential whose person was verified; undefined when anything in it is not as it must be. */
export async function verifyAttestation(given: Attestation, expected: Expected): Promise<NewCredential | undefined> {
  const { verifyRegistrationResponse } = await library();
  const { isoBase64URL, decodeAttestationObject } = await import('@simplewebauthn/server/helpers');
  return refusedIfThrown(async () => {
    const statement = decodeAttestationObject(isoBase64URL.toBuffer(given.attestationObject));
    // Chains of certificates would be followed to addresses that are named in them.
    if (statement.get('fmt') !== 'none' && (statement.get('fmt') !== 'packed' || statement.get('attStmt').get('x5c') !== undefined)) return undefined;
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: {
        ...publicKeyCredential(given.credentialId),
        response: { clientDataJSON: given.clientDataJSON, attestationObject: given.attestationObject },
      },
      expectedChallenge: expected.challenge,
      expectedOrigin: expected.origin,
      expectedRPID: expected.rpId,
      supportedAlgorithmIDs: [...passkeyAlgorithms],
    });
    if (!verified || registrationInfo?.credential.id !== given.credentialId) return undefined;
    return {
      publicKey: isoBase64URL.fromBuffer(registrationInfo.credential.publicKey),
      counter: registrationInfo.credential.counter,
      aaguid: registrationInfo.aaguid,
      ...backup(registrationInfo),
    };
  });
}

/** What the holder of the key signed, if they did and were verified by it; undefined otherwise. The counter is not judged: that is one act with storing it. */
export async function verifyAssertion(given: Assertion, publicKey: string, expected: Expected): Promise<Signed | undefined> {
  const { verifyAuthenticationResponse } = await library();
  const { isoBase64URL, decodeCredentialPublicKey } = await import('@simplewebauthn/server/helpers');
  return refusedIfThrown(async () => {
    const { clientDataJSON, authenticatorData, signature, userHandle } = given;
    const key = decodeCredentialPublicKey(isoBase64URL.toBuffer(publicKey));
    if (key.get(coseAlgorithm) === es256 && !isDer(isoBase64URL.toBuffer(signature))) return undefined;
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: { ...publicKeyCredential(given.credentialId), response: { clientDataJSON, authenticatorData, signature, userHandle } },
      expectedChallenge: expected.challenge,
      expectedOrigin: expected.origin,
      expectedRPID: expected.rpId,
      credential: { id: given.credentialId, publicKey: isoBase64URL.toBuffer(publicKey), counter: 0 },
    });
    return verified ? { counter: authenticationInfo.newCounter, ...backup(authenticationInfo) } : undefined;
  });
}

/** Whether two positive integers are spelled in the one way that DER allows (X.690 §8.3.2, §10.1): the library takes other spellings for the same signature. */
function isDer(signature: Uint8Array): boolean {
  const [tag, length] = signature;
  if (tag !== 0x30 || length !== signature.length - 2) return false;
  const second = endOfInteger(signature, 2);
  return second !== undefined && endOfInteger(signature, second) === signature.length;
}

function endOfInteger(der: Uint8Array, at: number): number | undefined {
  const [tag, length = 0, first = 0, next = 0] = der.subarray(at);
  const isShortest = first < 0x80 && (first !== 0 || next >= 0x80);
  return tag === 0x02 && length > 1 && isShortest ? at + 2 + length : undefined;
}

function publicKeyCredential(id: string) {
  return { id, rawId: id, type: 'public-key' as const, clientExtensionResults: {} };
}

function backup(info: { credentialDeviceType: string; credentialBackedUp: boolean }) {
  return { backupEligible: info.credentialDeviceType === 'multiDevice', backedUp: info.credentialBackedUp };
}

/** Whatever is wrong with bytes of a stranger is thrown by the parsers; nothing of it is our failure. */
async function refusedIfThrown<T>(verify: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await verify();
  } catch {
    return undefined;
  }
}
