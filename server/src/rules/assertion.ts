/**
 * What an assertion must say before it is believed (RFC 7523 §3 as updated by draft-ietf-oauth-rfc7523bis): its type, for whom it is, when it was made and until when
 * it is good, and its id. Pure: the signature was checked before, and whether the id is new the store decides.
 */

export type AssertionRules = {
  /** Accepted values of `typ`, without `application/`; `undefined` among them allows that there is none. */
  types: readonly (string | undefined)[];
  /** Who we are: `aud` must be this and nothing else. */
  audience: string;
  now: number;
  /** The longest time between now and `exp`, and between `iat` and now, in seconds. */
  maxLifetimeSeconds: number;
};
type Read = { header: { typ?: unknown }; claims: Record<string, unknown> };

/** How far the clocks of signer and server may differ, in seconds. */
export const assertionClockSkew = 60;
const maxIdLength = 256;

/**
 * "The JWT MUST contain an aud claim [...] the issuer identifier of the authorization server as its sole value"; "MUST contain an exp claim"; a type that says what
 * kind of token it is keeps one kind from standing in for another (RFC 8725 §3.11). Returns what is wrong, for the log.
 */
export function assertionProblem({ header, claims }: Read, { types, audience, now, maxLifetimeSeconds }: AssertionRules): string | undefined {
  const { exp, iat, nbf } = claims;
  if (!types.includes(typeOf(header.typ))) return 'its typ is of another kind of token';
  if (soleAudience(claims.aud) !== audience) return 'its aud is not our issuer alone';
  if (!isTime(exp)) return 'it has no exp';
  if (exp <= now - assertionClockSkew) return 'it has expired';
  if (exp > now + maxLifetimeSeconds + assertionClockSkew) return 'its exp is too far ahead';
  if (iat !== undefined && !isTime(iat)) return 'its iat is not a time';
  if (isTime(iat) && iat > now + assertionClockSkew) return 'its iat is in the future';
  if (isTime(iat) && iat < now - maxLifetimeSeconds - assertionClockSkew) return 'its iat is too long ago';
  if (nbf !== undefined && (!isTime(nbf) || nbf > now + assertionClockSkew)) return 'its nbf is in the future';
  return undefined;
}

/** The `jti` of an assertion, when it has a usable one. */
export function assertionId({ jti }: Record<string, unknown>): string | undefined {
  return typeof jti === 'string' && jti !== '' && jti.length <= maxIdLength ? jti : undefined;
}

/** D7: one string, or an array with just that. Two audiences are two servers, and one of them could use the assertion at the other. */
function soleAudience(aud: unknown): unknown {
  return Array.isArray(aud) && aud.length === 1 ? aud[0] : aud;
}

/** RFC 7515 §4.1.9: media types, any case, where `application/` may be left out. What is no string is no type we know. */
function typeOf(typ: unknown): string | undefined {
  if (typ === undefined) return undefined;
  return typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : 'unreadable';
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
