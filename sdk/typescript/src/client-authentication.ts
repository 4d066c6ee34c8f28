/**
 * How a client says who it is to its authorization server: with a secret (RFC 6749 §2.3.1), with a key (`private_key_jwt`, RFC 7523 §2.2 as updated by
 * draft-ietf-oauth-rfc7523bis), or by its name alone. Not here: which keys will do (client-key.ts).
 */
import { SignJWT } from 'jose';
import { type ClientKey, readClientKey, type SigningKey } from './client-key.ts';

/** What authenticates one request: made anew for each, because an assertion is good once. `secrets` must get into no log. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
}

/** Makes the credentials of one request; `now` in epoch seconds. */
export type Authenticate = (now: number) => Promise<Credentials>;

/** The options that say who the client is. At most one of secret and key. */
export interface ClientOptions {
  readonly clientId: string;
  /** Sent to the token endpoint only, in the Authorization header (RFC 6749 §2.3.1). */
  readonly clientSecret?: string;
  /** In place of a secret: the key whose public half is registered for the client. It signs a statement for each request and goes nowhere (RFC 7523). Needs `issuer`. */
  readonly clientKey?: ClientKey;
  /** The `kid` of the key. Default: that of the JWK; without one the server tries every key of its kind. */
  readonly clientKeyId?: string;
}

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const lifetimeSeconds = 60;

/**
 * Makes the way in which a client authenticates; a public one only says its name.
 *
 * @throws {TypeError} naming the option that is missing or wrong.
 */
export function clientAuthentication(options: ClientOptions, issuer: string | undefined): Authenticate {
  const { clientSecret, clientKey, clientKeyId } = options;
  const clientId = checkText('clientId', options.clientId);
  if (clientSecret !== undefined && clientKey !== undefined) throw new TypeError('either "clientSecret" or "clientKey" must be given, not both');
  if (clientSecret !== undefined) return bySecret(clientId, checkText('clientSecret', clientSecret));
  if (clientKey === undefined) return async () => ({ headers: {}, fields: { client_id: clientId }, secrets: [] });
  if (issuer === undefined) throw new TypeError('"clientKey" needs "issuer": what it signs is for this server alone');
  return byKey(clientId, issuer, readClientKey(clientKey, clientKeyId));
}

function checkText(option: string, value: unknown): string {
  if (typeof value !== 'string' || value === '') throw new TypeError(`"${option}" must be a string that is not empty`);
  return value;
}

/** RFC 6749 §2.3.1: both halves are form-encoded before they become Basic credentials. */
function bySecret(clientId: string, secret: string): Authenticate {
  const encoded = (value: string) => new URLSearchParams({ '': value }).toString().slice(1);
  const headers = { Authorization: `Basic ${btoa(`${encoded(clientId)}:${encoded(secret)}`)}` };
  return async () => ({ headers, fields: {}, secrets: [secret] });
}

/** The issuer as the only audience, and a type of its own: no other server and no other purpose can use what was signed. */
function byKey(clientId: string, issuer: string, key: SigningKey): Authenticate {
  const header = { typ: 'client-authentication+jwt', alg: key.algorithm, ...(key.keyId !== undefined && { kid: key.keyId }) };
  return async (now) => {
    const iat = Math.floor(now);
    const claims = { iss: clientId, sub: clientId, aud: issuer, jti: crypto.randomUUID(), iat, exp: iat + lifetimeSeconds };
    const assertion = await new SignJWT(claims).setProtectedHeader(header).sign(await key.load());
    return { headers: {}, fields: { client_id: clientId, client_assertion_type: assertionType, client_assertion: assertion }, secrets: [assertion] };
  };
}
