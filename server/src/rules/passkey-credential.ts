/**
 * The JSON in which a page hands over what an authenticator answered (WebAuthn §5.1: `PublicKeyCredential.toJSON()`), read into typed text. Pure; nothing is
 * believed here. Not here: signatures (crypto/webauthn.ts).
 */
import type { Assertion, Attestation } from '../crypto/webauthn.ts';

/** What the browser says it asked for (§5.8.1). */
export type ClientData = { type: string; challenge: string; origin: string; crossOrigin: boolean };

/** A credential id has at most 1023 bytes (§4). */
const maxCredentialId = 1364;
const maxMember = 16 * 1024;
const transports = ['usb', 'nfc', 'ble', 'smart-card', 'hybrid', 'internal'];

/** Undefined when the text is not the answer to a request to sign. */
export function readAssertion(text: string | undefined): Assertion | undefined {
  const { id, response } = credentialIn(text);
  const [clientDataJSON, authenticatorData, signature] = [response.clientDataJSON, response.authenticatorData, response.signature];
  if (!isBytes(id, maxCredentialId) || !isBytes(clientDataJSON) || !isBytes(authenticatorData) || !isBytes(signature)) return undefined;
  const userHandle = response.userHandle ?? undefined;
  if (userHandle !== undefined && !isBytes(userHandle, 128)) return undefined;
  return { credentialId: id, clientDataJSON, authenticatorData, signature, userHandle };
}

/** Undefined when the text is not the answer to a request for a new key. */
export function readAttestation(text: string | undefined): Attestation | undefined {
  const { id, response } = credentialIn(text);
  const [clientDataJSON, attestationObject] = [response.clientDataJSON, response.attestationObject];
  if (!isBytes(id, maxCredentialId) || !isBytes(clientDataJSON) || !isBytes(attestationObject)) return undefined;
  const named = Array.isArray(response.transports) ? response.transports : [];
  return { credentialId: id, clientDataJSON, attestationObject, transports: transports.filter((one) => named.includes(one)) };
}

/** Undefined when it is not JSON with these members. */
export function readClientData(clientDataJSON: string): ClientData | undefined {
  const { type, challenge, origin, crossOrigin } = objectIn(Buffer.from(clientDataJSON, 'base64url').toString('utf8'));
  if (typeof type !== 'string' || typeof challenge !== 'string' || typeof origin !== 'string') return undefined;
  return { type, challenge, origin, crossOrigin: crossOrigin !== undefined && crossOrigin !== false };
}

function credentialIn(text: string | undefined): { id: unknown; response: Record<string, unknown> } {
  const { id, rawId, type, response } = objectIn(text ?? '');
  const usable = id === rawId && type === 'public-key' && isObject(response);
  return { id: usable ? id : undefined, response: usable ? response : {} };
}

function objectIn(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isBytes(value: unknown, most = maxMember): value is string {
  return typeof value === 'string' && value.length <= most && /^[A-Za-z0-9_-]+$/.test(value);
}
